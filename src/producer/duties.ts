import { sameAddress } from "../domain/address.ts";
import type { MarketParameters } from "../domain/bounty.ts";
import { describeError, Fault } from "../domain/fault.ts";
import type { Guid } from "../domain/guid.ts";
import { PROMISED_STATES } from "../domain/lifecycle.ts";
import type { Nct } from "../domain/nct.ts";
import type { BountyKey, BountyRecord } from "../ledger/records.ts";
import { BlockSignals } from "./block-signals.ts";
import { Books } from "./books.ts";
import { type Duty, nextDuty, revealIsDue } from "./duty.ts";
import { DutySlots, type Slots, slotsFor } from "./duty-slots.ts";
import type { DutiesParts, DutyResult, Errand, Recollection } from "./errand.ts";
import { OnceABlock } from "./once-a-block.ts";
import { perform } from "./perform.ts";
import { SkippedBlocks } from "./skipped-blocks.ts";

/** Duties that wait longer each time they fail; the others have a window to meet and are tried at every block. */
const PATIENT: readonly Duty[] = ["publish", "ask-quorum", "settle", "confirm-settle"];
const MAX_PAUSE_BLOCKS = 32;
/** Quorums that skipped blocks may have held are asked for once in so many blocks at most. */
const QUORUMS_EVERY_BLOCKS = 5;
/** Duties that come before the reveal: what they wait for (a receipt, the metadata store) may take longer than its window. */
const YIELDING: readonly Duty[] = ["post", "confirm-post", "verify-post", "publish"];
const VERIFYING: readonly Duty[] = ["verify-post", "verify-reveal"];

interface Promised {
  record: BountyRecord;
  /** Whether the assertion's metadata is stored with the market. */
  published: boolean;
  running: boolean;
  /** Waits for a slot in the background. */
  queued: boolean;
  /** Cuts short the duty under way, if it is one that yields to the reveal. */
  yieldToReveal: (() => void) | undefined;
  /** How often in a row each duty did not succeed, since the last that did. */
  failures: Partial<Record<Duty, number>>;
  /** Of the last failure. */
  lastReason: string | undefined;
  /** No patient duty before this block. */
  notBefore: number;
  /** The block since which it is `asserted` or `revealed`, until somebody has looked again. */
  unverifiedSince: number | undefined;
  /** The newest block at the last look that found it there. */
  lastLook: number | undefined;
  /** No second look before this block. */
  verifyNotBefore: number;
  readonly recalled: Recollection;
  /** When we heard of the bounty; unknown after a restart. */
  readonly heardAt: number | undefined;
}

/**
 * Keeps our promises on one chain: posts what was planned, reveals, settles.
 *
 *     on the agenda ──a block, quorum, our settlement, the last duty done──► what does it need? (nextDuty)
 *          ▲  ▲                                                           │            │           │
 *          │  └────────────────────wait, or in a pause────────────────────┘         urgent     not urgent
 *          │                                                                          │           ▼
 *          └──failed: again at a later block──── doing it, one duty per bounty ◄──────┴──── waiting for a slot
 *                                                        │
 *                                                        └──settled or abandoned──► off the agenda
 *
 * Every promised bounty (state `planned` to `settling`) is on the agenda. A duty that fails is tried again until it
 * succeeds or is provably too late. A transaction whose fate is unknown is looked for on the market, and handed over
 * again byte for byte, before anything is signed anew: the ledger says `posting`, `revealing` or `settling`, and has the
 * bytes, from before they are sent, and `confirm-*` is the only duty in those states. So a crash at any moment leaves a
 * record from which the next start goes on. Whatever still waits when the reveal is due stops waiting.
 *
 * Ten thousand bounties that wait cost a few comparisons each at a block. Posting and revealing begin at once; what has
 * time to spare takes one of a few slots, so that a start with many open bounties holds nothing up. Confirming and
 * settling have slots of their own: they wait for nothing else, and nothing else waits for them. A post that is still to
 * be confirmed when its reveal is due needs no slot: it may have been mined, and its stake would be lost in the queue.
 */
export class Duties {
  readonly #parts: DutiesParts;
  readonly #books: Books;
  readonly #freshHead: OnceABlock<number>;
  readonly #freshParameters: OnceABlock<MarketParameters>;
  readonly #blockSignals: BlockSignals;
  readonly #agenda = new Map<Guid, Promised>();
  readonly #slots = new DutySlots();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(parts: DutiesParts) {
    this.#parts = parts;
    const { market, ledger, tell } = parts;
    this.#books = new Books(ledger, market.chain, tell);
    this.#blockSignals = new BlockSignals(parts.steadyMs ?? (() => performance.now()));
    this.#freshHead = new OnceABlock(market, () => market.freshHead());
    this.#freshParameters = new OnceABlock(market, () => market.freshParameters());
    const skipped = new SkippedBlocks(market.head(), QUORUMS_EVERY_BLOCKS);
    market.on("block", ({ number }) => {
      this.#blockSignals.heard(market.head());
      if (this.#stopped) return;
      this.#books.flush();
      if (skipped.before(number)) this.#doubtQuorums(number);
      this.#consider();
    });
    market.on("connected", () => {
      for (const { recalled } of this.#agenda.values()) recalled.quorumUnheard = true;
    });
    market.on("quorum", ({ guid }) => this.#quorum(guid));
    market.on("settled", ({ guid, settler, payout }) => {
      if (sameAddress(settler, market.account)) this.#announced(guid, payout);
    });
  }

  /** Puts everything an earlier run left promised on the agenda; returns how many bounties that is. */
  resume(): number {
    const { ledger, market } = this.#parts;
    const left = ledger.inStates(market.chain, PROMISED_STATES);
    const published = ledger.publishedIn(market.chain, PROMISED_STATES);
    for (const record of left) {
      const promised = this.#put(record, undefined, published.has(record.bounty.guid));
      promised.recalled.quorumUnheard = true;
      this.#reserve(record);
    }
    this.#consider();
    return left.length;
  }

  /** Takes over a bounty that was just planned and posts it at once. */
  async take(guid: Guid, heardAt: number): Promise<void> {
    const record = this.#books.find(this.#key(guid));
    if (record === undefined) return;
    await this.#start(this.#put(record, heardAt, this.#isPublished(record)));
  }

  /** How many bounties still need something. */
  open(): number {
    return this.#agenda.size;
  }

  /** How many of them failed at their last attempt. */
  failing(): number {
    return [...this.#agenda.values()].filter(({ failures }) => Object.keys(failures).length > 0).length;
  }

  /** False from a write that the disk refused until everything that is missing was written: nothing new is promised. */
  ledgerWritable(): boolean {
    return this.#books.writable();
  }

  /** No duty is begun any more; resolves when those under way are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#slots.clear();
    await Promise.allSettled(this.#running);
    this.#books.flush();
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
  #put(record: BountyRecord, heardAt: number | undefined, published: boolean): Promised {
    const known = this.#agenda.get(record.bounty.guid);
    if (known !== undefined) return known;
    const promised: Promised = {
      ...{ record, published, heardAt, failures: {}, lastReason: undefined },
      ...{ notBefore: 0, verifyNotBefore: 0 },
      ...{ running: false, queued: false, yieldToReveal: undefined },
      unverifiedSince: this.#parts.market.head(),
      lastLook: undefined,
      recalled: {
        ...{ refusal: undefined, handedOver: 0, revealIndex: undefined, revealFailed: false },
        ...{ refusedAsLate: 0, triedLate: false, announced: undefined },
        settlement: { seen: undefined, refused: false, contractAsked: false },
        ...{ quorumUnheard: false, quorumAnnounced: false },
      },
    };
    this.#agenda.set(record.bounty.guid, promised);
    return promised;
  }

  #quorum(guid: Guid): void {
    const promised = this.#agenda.get(guid);
    if (promised === undefined || this.#stopped) return;
    // Anybody can say so; whoever settles too early pays for a reverted transaction.
    const { recalled } = promised;
    if (!recalled.quorumAnnounced) promised.notBefore = 0;
    recalled.quorumUnheard = true;
    recalled.quorumAnnounced = true;
    void this.#start(promised);
  }

  /** The market told of our settlement, and may be the only one to tell. */
  #announced(guid: Guid, payout: Nct): void {
    const promised = this.#agenda.get(guid);
    if (promised === undefined) return;
    promised.recalled.announced = payout;
    promised.notBefore = 0;
    void this.#start(promised);
  }

  /** What was said in blocks that the stream skipped nobody heard. Nobody votes before the reveal window closes. */
  #doubtQuorums(head: number): void {
    const { revealWindow } = this.#parts.market.parameters();
    for (const { record, recalled } of this.#agenda.values()) {
      if (record.bounty.expiration + revealWindow < head) recalled.quorumUnheard = true;
    }
  }

  #consider(): void {
    const { revealWindow } = this.#parts.market.parameters();
    const head = this.#parts.market.head();
    for (const promised of this.#agenda.values()) {
      const { yieldToReveal, record } = promised;
      if (yieldToReveal && revealIsDue(record.bounty.expiration, revealWindow, head)) yieldToReveal();
      void this.#start(promised);
    }
  }

  /** Undefined when there is nothing to do at this block. */
  #dueDuty(promised: Promised): Duty | undefined {
    const { market } = this.#parts;
    const { record, published, notBefore, verifyNotBefore } = promised;
    const { quorumUnheard } = promised.recalled;
    const head = market.head();
    const mayVerify = head >= verifyNotBefore;
    const unverifiedSince = mayVerify ? promised.unverifiedSince : undefined;
    const lastLook = mayVerify ? promised.lastLook : undefined;
    const parameters = market.parameters();
    const duty = nextDuty({ record, published, unverifiedSince, lastLook, quorumUnheard, head, parameters });
    if (duty === "wait" || this.#parts.may?.(duty) === false) return undefined;
    return head < notBefore && PATIENT.includes(duty) ? undefined : duty;
  }

  #slotsFor({ record: { bounty } }: Promised, duty: Duty): Slots | undefined {
    const { market } = this.#parts;
    return slotsFor(duty, bounty.expiration, market.parameters().revealWindow, market.head());
  }

  /** Resolves at once when there is nothing to do, or nothing that begins before others. */
  #start(promised: Promised): Promise<void> | undefined {
    if (promised.running || this.#stopped) return undefined;
    const duty = this.#dueDuty(promised);
    if (duty === undefined) return undefined;
    const slots = this.#slotsFor(promised, duty);
    if (slots === undefined) return this.#begin(promised, undefined);
    if (promised.queued) return undefined;
    promised.queued = true;
    this.#slots.run(slots, duty, async () => {
      promised.queued = false;
      await this.#begin(promised, slots);
    });
    return undefined;
  }

  #begin(promised: Promised, slots: Slots | undefined): Promise<void> | undefined {
    if (promised.running || this.#stopped) return undefined;
    promised.running = true;
    const run = this.#run(promised, slots)
      // After a stop that took too long the ledger is closed under whoever still works: the next start goes on.
      .catch((error: unknown) => {
        const guid = promised.record.bounty.guid;
        if (!this.#stopped) this.#parts.tell("bounty.failed", { guid, reason: describeError(error) });
        return "waits" as const;
      })
      .then((next) => {
        promised.running = false;
        this.#running.delete(run);
        if (next === "elsewhere") void this.#start(promised);
      });
    this.#running.add(run);
    return run;
  }

  /** Does one duty after the other until the bounty has to wait, or what is next has slots of another kind. */
  async #run(promised: Promised, slots: Slots | undefined): Promise<"waits" | "elsewhere"> {
    const guid = promised.record.bounty.guid;
    let done: Duty | undefined;
    while (!this.#stopped && this.#agenda.has(guid)) {
      const duty = this.#dueDuty(promised);
      // What was done and is still to be done waits for the next block, lest it be done in a circle.
      if (duty === undefined || duty === done) return "waits";
      const others = this.#slotsFor(promised, duty);
      if (slots !== undefined && others !== undefined && others !== slots) return "elsewhere";
      const waiting = new AbortController();
      if (YIELDING.includes(duty)) promised.yieldToReveal = () => waiting.abort();
      let problem: DutyResult;
      try {
        problem = await perform(duty, this.#errand(promised, duty, waiting.signal));
      } catch (error) {
        problem = describeError(error);
      } finally {
        promised.yieldToReveal = undefined;
      }
      const verifying = VERIFYING.includes(duty);
      if (problem === undefined && verifying) {
        promised.unverifiedSince = undefined;
        promised.lastLook = this.#parts.market.head();
      }
      this.#refresh(promised);
      if (waiting.signal.aborted) continue;
      done = problem === undefined ? duty : undefined;
      if (problem === undefined) promised.failures = {};
      else this.#failed(promised, duty, problem);
      // A second look must not keep the metadata waiting.
      if (problem !== undefined && !verifying) return "waits";
    }
    return "waits";
  }

  #failed(promised: Promised, duty: Duty, reason: string): void {
    const { market, tell } = this.#parts;
    const attempt = (promised.failures[duty] ?? 0) + 1;
    promised.failures[duty] = attempt;
    if (VERIFYING.includes(duty)) promised.verifyNotBefore = market.head() + 1;
    if (PATIENT.includes(duty)) promised.notBefore = market.head() + pauseAfter(attempt);
    // What is refused is built again at every block, for as long as the bounty is open.
    const same = duty === "post" && reason === promised.lastReason;
    promised.lastReason = reason;
    if (!same) tell("duty.failed", { guid: promised.record.bounty.guid, duty, reason, attempt });
  }

  #isPublished({ bounty }: BountyRecord): boolean {
    const uri = this.#books.assertion(this.#key(bounty.guid))?.metadataUri;
    return uri !== undefined && uri !== null;
  }

  /** Reads the record anew; a bounty that came to its end leaves the agenda. */
  #refresh(promised: Promised): void {
    const guid = promised.record.bounty.guid;
    const before = promised.record.state;
    const record = this.#books.find(this.#key(guid));
    if (record === undefined || record.state === "settled" || record.state === "abandoned")
      this.#agenda.delete(guid);
    if (record === undefined) return;
    promised.record = record;
    if (record.state !== before) {
      promised.unverifiedSince = this.#parts.market.head();
      promised.lastLook = undefined;
    }
    promised.published ||= this.#isPublished(record);
  }

  #errand(promised: Promised, duty: Duty, signal: AbortSignal): Errand {
    const { record, heardAt, failures, recalled } = promised;
    const key = this.#key(record.bounty.guid);
    const assertion = this.#books.assertion(key);
    if (assertion === undefined)
      throw new Fault("LEDGER_STATE", `Bounty ${key.guid} is promised without a plan.`);
    return {
      ...this.#parts,
      ...{ key, record, assertion, recalled, heardAt, signal },
      untilBlock: (number) => this.#blockSignals.from(number),
      books: this.#books,
      failures: failures[duty] ?? 0,
      freshHead: () => this.#freshHead.ask(),
      freshRevealWindow: async () => (await this.#freshParameters.ask()).revealWindow,
    };
  }
}

/** Blocks. */
const pauseAfter = (attempt: number): number => Math.min(2 ** (attempt - 1), MAX_PAUSE_BLOCKS);
