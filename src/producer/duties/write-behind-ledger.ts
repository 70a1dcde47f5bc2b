import type { Bounty, MarketId } from "../../domain/bounty.ts";
import type { BlockNumber } from "../../domain/chain.ts";
import { describeError, Fault } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import type { AbandonReason } from "../../domain/lifecycle.ts";
import type { Nct } from "../../domain/nct.ts";
import type { SignedTransaction } from "../../domain/transaction.ts";
import { isDiskTrouble } from "../../ledger/disk-trouble.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { AssertionRecord, BountyKey, BountyRecord, DutyAction } from "../../ledger/records.ts";
import { lastBefore } from "../../market/onchain/chain/market-notes.ts";
import type { Tell } from "../events/events.ts";

/** What the ledger would say of a bounty, had the disk had room. */
interface Missing {
  record: Partial<Pick<BountyRecord, "bounty" | "state" | "quorum" | "revealMissed">>;
  assertion: Partial<Pick<AssertionRecord, "index" | "metadataUri">>;
  /** By action, the oldest first. */
  signed: Partial<Record<DutyAction, readonly (readonly SignedTransaction[])[]>>;
  /** In the order in which they failed. */
  readonly writes: (() => void)[];
}

type Change = Partial<Omit<Missing, "writes">>;

/**
 * The ledger, as the duties keep it: promising stops with the disk, keeping promises does not.
 *
 *     writable ──a write fails because of the disk──► unwritable ──all that is missing was written──► writable
 *
 * An assertion is not signed when the ledger cannot take its bytes. Everything else that cannot be written is
 * remembered, in order, and read as if it stood there, so that nothing is done twice in the same run; it is written
 * when the disk has room (`flush`, at every block). After a crash it is gone, and a record says less than was done: the
 * next start then does it again, and the contract, which takes one reveal and one settlement, refuses.
 */
export class WriteBehindLedger {
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

  /** The deciding hash of each time something was signed, the oldest first. */
  signed(key: BountyKey, action: DutyAction): readonly string[] {
    const missing = this.#missing.get(key.guid)?.signed[action] ?? [];
    return [...this.#ledger.signed(key, action), ...missing.map((signed) => signed.at(-1)!.hash)];
  }

  /** What was signed the last time, to be handed over again; empty when it is not known any more. */
  lastSigned(key: BountyKey, action: DutyAction): readonly SignedTransaction[] {
    const last = this.#missing.get(key.guid)?.signed[action]?.at(-1) ?? this.#ledger.lastSigned(key, action);
    // Ledgers kept hashes only, once.
    return last.every(({ raw }) => raw !== "") ? last : [];
  }

  /** The smallest account nonce that anything was signed with for a duty; undefined when that is not known. */
  firstNonce(key: BountyKey, action: "assert"): bigint | undefined {
    return this.#ledger.firstNonce(key, action);
  }

  /** The highest account nonce that was certainly mined, as far as the ledger knows. */
  minedNonce(): bigint | undefined {
    return this.#ledger.minedNonce(this.#market, lastBefore(this.#ledger, this.#market));
  }

  /** Fixes what is about to be sent; `fee` when it is not the planned one any more. Throws when the disk is full. */
  journalAssertion(key: BountyKey, signed: readonly SignedTransaction[], fee: Nct | undefined): void {
    this.flush();
    if (this.#missing.size > 0)
      throw new Fault("LEDGER_UNWRITABLE", "Nothing is promised that the ledger cannot take.", {
        retryable: true,
      });
    try {
      if (fee !== undefined) this.#ledger.recordFee(key, fee);
      this.#ledger.recordSigned(key, "assert", signed);
    } catch (error) {
      if (isDiskTrouble(error)) this.#troubled(error);
      throw error;
    }
  }

  recordSigned(key: BountyKey, action: "reveal" | "settle", signed: readonly SignedTransaction[]): void {
    const earlier = this.#missing.get(key.guid)?.signed ?? {};
    const change: Change = {
      record: { state: action === "reveal" ? "revealing" : "settling" },
      signed: { ...earlier, [action]: [...(earlier[action] ?? []), signed] },
    };
    this.#write(key, change, () => this.#ledger.recordSigned(key, action, signed));
  }

  recordRequested(key: BountyKey, ms: number): void {
    this.#write(key, {}, () => this.#ledger.recordRequested(key, ms));
  }

  recordAsserted(key: BountyKey, index: number): void {
    const change: Change = { record: { state: "asserted" }, assertion: { index } };
    this.#write(key, change, () => this.#ledger.recordAsserted(key, index));
  }

  /** Where it stands, of an assertion that was revealed before its place was told. */
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

  recordExpiration(key: BountyKey, bounty: Bounty, expiration: BlockNumber): void {
    const change: Change = { record: { bounty: { ...bounty, expiration } } };
    this.#write(key, change, () => this.#ledger.recordExpiration(key, expiration));
  }

  recordQuorum(key: BountyKey): void {
    this.#write(key, { record: { quorum: true } }, () => this.#ledger.recordQuorum(key));
  }

  recordSettled(key: BountyKey, payout: Nct | null, truth: readonly boolean[]): void {
    this.#write(key, { record: { state: "settled" } }, () => {
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
    const missing = known ?? { record: {}, assertion: {}, signed: {}, writes: [] };
    missing.record = { ...missing.record, ...change.record };
    missing.assertion = { ...missing.assertion, ...change.assertion };
    missing.signed = { ...missing.signed, ...change.signed };
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
