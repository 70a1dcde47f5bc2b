import type { MarketDetails, MarketId } from "../../domain/bounty.ts";
import { describeError, Fault } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import type { AbandonReason } from "../../domain/lifecycle.ts";
import type { Nct } from "../../domain/nct.ts";
import { isDiskTrouble } from "../../ledger/disk-trouble.ts";
import type { DutyLedger } from "../../ledger/duty-ledger.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type {
  AssertionRecord,
  BountyKey,
  BountyRecord,
  JournalEntry,
  JournalPosition,
  Step,
} from "../../ledger/records.ts";
import type { Tell } from "../events/events.ts";

/** What the ledger would say of a bounty, had the disk had room. */
interface Missing {
  record: Partial<Pick<BountyRecord, "bounty" | "state" | "quorum" | "revealMissed">>;
  assertion: Partial<Pick<AssertionRecord, "index" | "metadataUri" | "payout">>;
  /** By step, the oldest first. */
  written: Partial<Record<Step, readonly (readonly JournalEntry[])[]>>;
  /** In the order in which they failed. */
  readonly writes: (() => void)[];
}

type Change = Partial<Omit<Missing, "writes">>;

/**
 * The ledger, as what is owed is kept in it: promising stops with the disk, keeping promises does not.
 *
 *     writable ──a write fails because of the disk──► unwritable ──all that is missing was written──► writable
 *
 * An assertion is not sent when the ledger cannot take its bytes. Everything else that cannot be written is
 * remembered, in order, and read as if it stood there, so that nothing is done twice in the same run; it is written
 * when the disk has room (`flush`, whenever time goes on). After a crash it is gone, and a record says less than was done: the
 * next start then does it again, and the marketplace, which takes it once, refuses.
 */
export class WriteBehindLedger implements DutyLedger {
  readonly #ledger: Ledger;
  readonly #market: MarketId;
  readonly #tell: Tell;
  readonly #missing = new Map<Guid, Missing>();
  #writable = true;

  constructor(ledger: Ledger, market: MarketId, tell: Tell) {
    this.#ledger = ledger;
    this.#market = market;
    this.#tell = tell;
  }

  writable(): boolean {
    return this.#writable;
  }

  find(key: BountyKey): BountyRecord | undefined {
    const record = this.#ledger.find(key);
    const missing = this.#missing.get(key.guid);
    return record && missing ? { ...record, ...missing.record } : record;
  }

  assertion(key: BountyKey): AssertionRecord | undefined {
    const assertion = this.#ledger.assertion(key);
    const missing = this.#missing.get(key.guid);
    return assertion && missing ? { ...assertion, ...missing.assertion } : assertion;
  }

  references(key: BountyKey, step: Step): readonly string[] {
    const missing = this.#missing.get(key.guid)?.written[step] ?? [];
    return [...this.#ledger.references(key, step), ...missing.map((entries) => entries.at(-1)!.reference)];
  }

  lastEntries(key: BountyKey, step: Step): readonly JournalEntry[] {
    const last = this.#missing.get(key.guid)?.written[step]?.at(-1) ?? this.#ledger.lastEntries(key, step);
    // Ledgers kept references only, once.
    return last.every(({ bytes }) => bytes !== "") ? last : [];
  }

  firstSequence(key: BountyKey, step: Step): bigint | undefined {
    return this.#ledger.firstSequence(key, step);
  }

  takenSequence(after: JournalPosition): bigint | undefined {
    return this.#ledger.takenSequence(this.#market, after);
  }

  journalAssertion(key: BountyKey, entries: readonly JournalEntry[], fee: Nct | undefined): void {
    this.flush();
    if (this.#missing.size > 0)
      throw new Fault("LEDGER_UNWRITABLE", "Nothing is promised that the ledger cannot take.", {
        retryable: true,
      });
    try {
      if (fee !== undefined) this.#ledger.recordFee(key, fee);
      this.#ledger.journal(key, "assert", entries);
    } catch (error) {
      if (isDiskTrouble(error)) this.#troubled(error);
      throw error;
    }
  }

  journal(key: BountyKey, step: Exclude<Step, "assert">, entries: readonly JournalEntry[]): void {
    const earlier = this.#missing.get(key.guid)?.written ?? {};
    const change: Change = {
      record: { state: step === "reveal" ? "revealing" : "settling" },
      written: { ...earlier, [step]: [...(earlier[step] ?? []), entries] },
    };
    this.#write(key, change, () => this.#ledger.journal(key, step, entries));
  }

  recordRequested(key: BountyKey, ms: number): void {
    this.#write(key, {}, () => this.#ledger.recordRequested(key, ms));
  }

  recordAsserted(key: BountyKey, index: number): void {
    const change: Change = { record: { state: "asserted" }, assertion: { index } };
    this.#write(key, change, () => this.#ledger.recordAsserted(key, index));
  }

  recordIndex(key: BountyKey, index: number): void {
    this.#write(key, { assertion: { index } }, () => this.#ledger.recordIndex(key, index));
  }

  recordMetadataUri(key: BountyKey, metadataUri: string): void {
    const change: Change = { assertion: { metadataUri } };
    this.#write(key, change, () => this.#ledger.recordMetadataUri(key, metadataUri));
  }

  recordRevealed(key: BountyKey): void {
    const change: Change = { record: { state: "revealed", revealMissed: false } };
    this.#write(key, change, () => this.#ledger.recordRevealed(key));
  }

  recordRevealMissed(key: BountyKey): void {
    this.#write(key, { record: { revealMissed: true } }, () => this.#ledger.recordRevealMissed(key));
  }

  recordDetails(key: BountyKey, details: MarketDetails): void {
    const bounty = this.find(key)?.bounty;
    const change: Change = bounty === undefined ? {} : { record: { bounty: { ...bounty, details } } };
    this.#write(key, change, () => this.#ledger.recordDetails(key, details));
  }

  recordQuorum(key: BountyKey): void {
    this.#write(key, { record: { quorum: true } }, () => this.#ledger.recordQuorum(key));
  }

  recordSettled(key: BountyKey, payout: Nct | null, truth: readonly boolean[]): void {
    this.#write(key, { record: { state: "settled" }, assertion: { payout } }, () => {
      this.#ledger.recordTruth(key, truth);
      this.#ledger.recordSettled(key, payout);
    });
  }

  abandon(key: BountyKey, reason: AbandonReason): void {
    this.#write(key, { record: { state: "abandoned" } }, () => this.#ledger.abandon(key, reason));
  }

  /** Writes what is missing, oldest bounty first; one failure ends the attempt. */
  flush(): void {
    if (this.#writable) return;
    let written = 0;
    try {
      for (const [guid, { writes }] of this.#missing) {
        for (; writes[0] !== undefined; writes.shift()) {
          this.#replay(guid, writes[0]);
          written++;
        }
        this.#missing.delete(guid);
      }
      if (written === 0) this.#ledger.setNote(this.#market, "writable", "yes");
    } catch (error) {
      if (isDiskTrouble(error)) return;
      throw error;
    }
    this.#writable = true;
    this.#tell("ledger.writable", { market: this.#market, written });
  }

  /** One write that the ledger will never take must not keep all the others waiting. */
  #replay(guid: Guid, write: () => void): void {
    try {
      write();
    } catch (error) {
      if (isDiskTrouble(error)) throw error;
      this.#tell("bounty.failed", { guid, reason: describeError(error) });
    }
  }

  #write({ guid }: BountyKey, change: Change, write: () => void): void {
    const known = this.#missing.get(guid);
    if (known === undefined && this.#taken(write)) return;
    const missing = known ?? { record: {}, assertion: {}, written: {}, writes: [] };
    missing.record = { ...missing.record, ...change.record };
    missing.assertion = { ...missing.assertion, ...change.assertion };
    missing.written = { ...missing.written, ...change.written };
    missing.writes.push(write);
    this.#missing.set(guid, missing);
  }

  #taken(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      this.#troubled(error);
      return false;
    }
  }

  #troubled(error: Error): void {
    if (!this.#writable) return;
    this.#writable = false;
    this.#tell("ledger.unwritable", { market: this.#market, reason: describeError(error) });
  }
}
