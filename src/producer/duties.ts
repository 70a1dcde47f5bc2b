import { describeError, Fault } from "../domain/fault.ts";
import type { Guid } from "../domain/guid.ts";
import { PROMISED_STATES } from "../domain/lifecycle.ts";
import type { BountyKey, BountyRecord } from "../ledger/records.ts";
import { type Duty, nextDuty, revealIsDue } from "./duty.ts";
import type { DutiesParts, DutyResult, Errand } from "./errand.ts";
import { confirmPosting, giveUp, postAssertion } from "./post-assertion.ts";
import { confirmReveal, missReveal, publishMetadata, revealAssertion } from "./reveal-assertion.ts";
import { confirmSettling, settleBounty } from "./settle-bounty.ts";

/** Duties that wait longer each time they fail; the others have a window to meet and are tried at every block. */
const PATIENT: readonly Duty[] = ["publish", "settle", "confirm-settle"];
const MAX_PAUSE_BLOCKS = 32;
/** Duties that come before the reveal: what they wait for (a receipt, the metadata store) may take longer than its window. */
const YIELDING: readonly Duty[] = ["post", "confirm-post", "publish"];

interface Promised {
  record: BountyRecord;
  /** Whether the assertion's metadata is stored with the market. */
  published: boolean;
  running: boolean;
  /** Cuts short the duty under way, if it is one that yields to the reveal. */
  yieldToReveal: (() => void) | undefined;
  failures: number;
  /** No patient duty before this block. */
  notBefore: number;
  /** When we heard of the bounty; unknown after a restart. */
  readonly heardAt: number | undefined;
}

/**
 * Keeps our promises on one chain: posts what was planned, reveals, settles.
 *
 * Every promised bounty (state `planned` to `settling`) is on the agenda. At each block, at quorum, and right after
 * something was done for it, `nextDuty` says from the ledger's record what it needs; one duty per bounty runs at a time.
 * A duty that fails is tried again at a later block, until it succeeds or is provably too late. A transaction whose fate
 * is unknown is looked up on the market before the same thing is sent again: the ledger says `posting`, `revealing` or
 * `settling` from the moment of signing, and `confirm-*` is the only duty in those states. So a crash at any moment
 * leaves a record from which the next start goes on. Whatever still waits when the reveal is due stops waiting.
 */
export class Duties {
  readonly #parts: DutiesParts;
  readonly #agenda = new Map<Guid, Promised>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(parts: DutiesParts) {
    this.#parts = parts;
    parts.market.on("block", () => this.#consider());
    parts.market.on("quorum", ({ guid }) => this.#quorum(guid));
  }

  /** Puts everything an earlier run left promised on the agenda; returns how many bounties that is. */
  resume(): number {
    const left = this.#parts.ledger.inStates(this.#parts.market.chain, PROMISED_STATES);
    for (const record of left) {
      this.#put(record, undefined);
      this.#reserve(record);
    }
    this.#consider();
    return left.length;
  }

  /** Takes over a bounty that was just planned and posts it at once. */
  async take(guid: Guid, heardAt: number): Promise<void> {
    const record = this.#parts.ledger.find(this.#key(guid));
    if (record === undefined) return;
    const promised = this.#put(record, heardAt);
    await this.#start(promised);
  }

  /** How many bounties still need something. */
  open(): number {
    return this.#agenda.size;
  }

  /** How many of them failed at their last attempt. */
  failing(): number {
    return [...this.#agenda.values()].filter(({ failures }) => failures > 0).length;
  }

  /** No duty is begun any more; resolves when those under way are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.allSettled(this.#running);
  }

  #key(guid: Guid): BountyKey {
    return { chain: this.#parts.market.chain, guid };
  }

  /** What the balance does not show yet, or not for certain. */
  #reserve({ bounty: { guid }, state }: BountyRecord): void {
    const plan =
      state === "planned" || state === "posting" ? this.#parts.ledger.assertion(this.#key(guid)) : undefined;
    if (plan !== undefined) this.#parts.purse.reserve(guid, plan.stake + plan.fee);
  }

  /** A bounty is on the agenda once: two entries would each do its duties. */
  #put(record: BountyRecord, heardAt: number | undefined): Promised {
    const known = this.#agenda.get(record.bounty.guid);
    if (known !== undefined) return known;
    const published = this.#isPublished(record);
    const promised: Promised = {
      ...{ record, published, heardAt, failures: 0, notBefore: 0 },
      ...{ running: false, yieldToReveal: undefined },
    };
    this.#agenda.set(record.bounty.guid, promised);
    return promised;
  }

  #quorum(guid: Guid): void {
    const promised = this.#agenda.get(guid);
    if (promised === undefined) return;
    this.#parts.ledger.recordQuorum(this.#key(guid));
    this.#refresh(promised);
    promised.notBefore = 0;
    void this.#start(promised);
  }

  #consider(): void {
    const { revealWindow } = this.#parts.market.parameters();
    const head = this.#parts.market.head();
    for (const promised of this.#agenda.values()) {
      if (revealIsDue(promised.record.bounty.expiration, revealWindow, head)) promised.yieldToReveal?.();
      void this.#start(promised);
    }
  }

  #start(promised: Promised): Promise<void> {
    if (promised.running || this.#stopped) return Promise.resolve();
    promised.running = true;
    const run = this.#run(promised)
      // After a stop that took too long the ledger is closed under whoever still works: the next start goes on.
      .catch((error: unknown) => {
        const guid = promised.record.bounty.guid;
        if (!this.#stopped) this.#parts.tell("bounty.failed", { guid, reason: describeError(error) });
      })
      .finally(() => {
        promised.running = false;
        this.#running.delete(run);
      });
    this.#running.add(run);
    return run;
  }

  /** Does one duty after the other until the bounty has to wait. */
  async #run(promised: Promised): Promise<void> {
    const guid = promised.record.bounty.guid;
    while (!this.#stopped) {
      const duty = this.#dutyOf(promised);
      const patient = PATIENT.includes(duty);
      if (duty === "wait" || (patient && this.#parts.market.head() < promised.notBefore)) return;
      const waiting = new AbortController();
      if (YIELDING.includes(duty)) promised.yieldToReveal = () => waiting.abort();
      let problem: DutyResult;
      try {
        problem = await perform(duty, this.#errand(promised, waiting.signal));
      } catch (error) {
        problem = describeError(error);
      } finally {
        promised.yieldToReveal = undefined;
      }
      this.#refresh(promised);
      if (waiting.signal.aborted && this.#agenda.has(guid)) continue;
      if (problem !== undefined) {
        promised.failures++;
        const pause = patient ? Math.min(2 ** (promised.failures - 1), MAX_PAUSE_BLOCKS) : 0;
        promised.notBefore = this.#parts.market.head() + pause;
        this.#parts.tell("duty.failed", { guid, duty, reason: problem, attempt: promised.failures });
        return;
      }
      promised.failures = 0;
      if (!this.#agenda.has(guid)) return;
    }
  }

  #dutyOf({ record, published }: Promised): Duty {
    const { market } = this.#parts;
    return nextDuty({ record, published, head: market.head(), parameters: market.parameters() });
  }

  #isPublished({ bounty }: BountyRecord): boolean {
    const uri = this.#parts.ledger.assertion(this.#key(bounty.guid))?.metadataUri;
    return uri !== undefined && uri !== null;
  }

  /** Reads the record anew; a bounty that came to its end leaves the agenda. */
  #refresh(promised: Promised): void {
    const guid = promised.record.bounty.guid;
    const record = this.#parts.ledger.find(this.#key(guid));
    if (record === undefined || record.state === "settled" || record.state === "abandoned")
      this.#agenda.delete(guid);
    if (record === undefined) return;
    promised.record = record;
    promised.published ||= this.#isPublished(record);
  }

  #errand({ record, heardAt, failures }: Promised, signal: AbortSignal): Errand {
    const key = this.#key(record.bounty.guid);
    const assertion = this.#parts.ledger.assertion(key);
    if (assertion === undefined)
      throw new Fault("LEDGER_STATE", `Bounty ${key.guid} is promised without a plan.`);
    return { ...this.#parts, key, record, assertion, heardAt, failures, signal };
  }
}

async function perform(duty: Duty, errand: Errand): Promise<DutyResult> {
  switch (duty) {
    case "post":
      return postAssertion(errand);
    case "confirm-post":
      return confirmPosting(errand);
    case "publish":
      return publishMetadata(errand);
    case "reveal":
      return revealAssertion(errand);
    case "confirm-reveal":
      return confirmReveal(errand);
    case "miss-reveal":
      missReveal(errand);
      return undefined;
    case "settle":
      return settleBounty(errand);
    case "confirm-settle":
      return confirmSettling(errand);
    case "give-up":
      giveUp(errand, "too-late");
      return undefined;
    case "wait":
      return undefined;
  }
}
