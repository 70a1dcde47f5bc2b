import { sameAddress } from "../../domain/address.ts";
import type { MarketParameters } from "../../domain/bounty.ts";
import { describeError, Fault } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import { PROMISED_STATES } from "../../domain/lifecycle.ts";
import type { Nct } from "../../domain/nct.ts";
import type { BountyKey, BountyRecord } from "../../ledger/records.ts";
import type { AssertionNotice } from "../../market/onchain/port/marketplace.ts";
import { BlockCache } from "../../market/onchain/settlement/record/block-cache.ts";
import { BlockSignals } from "../../market/onchain/settlement/record/block-signals.ts";
import { DutySlots, type SlotKind, slotsFor } from "./duty-slots.ts";
import { perform } from "../../market/onchain/settlement/perform.ts";
import { dutyAt, isOutdated, isVerifying, noteFailure, noteSuccess } from "./attempts.ts";
import { type Duty, otherThan, type Stage, TRACKS, type Track } from "../../market/onchain/settlement/record/duty.ts";
import type { DutiesParts, DutyContext, DutyResult } from "../../market/onchain/settlement/record/duty-context.ts";
import { type Beginning, overdueStage, type PromisedBounty, promise } from "./promised-bounty.ts";
import { WriteBehindLedger } from "./write-behind-ledger.ts";
import { SkippedBlocks } from "../../market/onchain/settlement/record/skipped-blocks.ts";

/** Quorums that skipped blocks may have held are asked for once in so many blocks at most. */
const QUORUMS_EVERY_BLOCKS = 5;

/**
 * Keeps our promises on one chain: posts what was planned, reveals, settles.
 *
 *     on the agenda ──a block, quorum, our settlement, the last duty done──► what does it need? (nextDuty)
 *          ▲  ▲                                                           │            │           │
 *          │  └────────────────────wait, or in a pause────────────────────┘         urgent     not urgent
 *          │                                                                          │           ▼
 *          └──failed: again at a later block──── doing it, one duty per track ◄───────┴──── waiting for a slot
 *                                                        │
 *                                                        └──settled or abandoned──► off the agenda
 *
 * Every promised bounty (state `planned` to `settling`) is on the agenda. A duty that fails is tried again until it
 * succeeds or is provably too late. A transaction whose fate is unknown is looked for on the market, and handed over
 * again byte for byte, before anything is signed anew: the ledger says `posting`, `revealing` or `settling`, and has the
 * bytes, from before they are sent, and `confirm-*` is the only duty in those states. So a crash at any moment leaves a
 * record from which the next start goes on.
 *
 * **Slow is a state.** The picture above is that of one track; each bounty has two, which run side by side:
 *
 *     assertion  post ► confirm-post ► verify-post, publish          however long their answers take
 *     reveal                 └── from the block in which it is due ──► reveal ► confirm-reveal ► settle
 *
 * - A duty is never called off for another that waits for it. A reveal that is due begins although the post is still to be
 *   confirmed: the commitment is ours, and the index comes from the first source that has it (see `revealAssertion`).
 * - A duty whose answers take longer than a block is simply under way at the next block; nothing is begun beside it. What
 *   the assertion's track still learns when the reveal is known to be mined is dropped without a word.
 * - What fails is told of (`duty.failed`) and tried again at a later block, most of it after longer and longer pauses.
 * - What is due for longer than usual is told of once (`duty.overdue`) and counted (`overdue`) until it is done.
 *
 * Ten thousand bounties that wait cost a few comparisons each at a block. Posting and revealing begin at once; what has
 * time to spare takes one of a few slots, so that a start with many open bounties holds nothing up. Confirming and
 * settling have slots of their own: they wait for nothing else, and nothing else waits for them.
 */
export class Duties {
  readonly #parts: DutiesParts;
  readonly #ledger: WriteBehindLedger;
  readonly #freshHead: BlockCache<number>;
  readonly #freshParameters: BlockCache<MarketParameters>;
  readonly #blockSignals: BlockSignals;
  readonly #skipped: SkippedBlocks;
  readonly #agenda = new Map<Guid, PromisedBounty>();
  readonly #slots = new DutySlots();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(parts: DutiesParts) {
    this.#parts = parts;
    const { market, ledger, tell } = parts;
    this.#ledger = new WriteBehindLedger(ledger, market.id, tell);
    this.#blockSignals = new BlockSignals(parts.steadyMs ?? (() => performance.now()));
    this.#freshHead = new BlockCache(market, () => market.freshHead());
    this.#freshParameters = new BlockCache(market, () => market.freshParameters());
    this.#skipped = new SkippedBlocks(market.head(), QUORUMS_EVERY_BLOCKS);
  }

  /** Hears what the marketplace tells, until the returned is disposed of: after `stop`, which waits for what it needs of it. */
  listen(): Disposable {
    const { market } = this.#parts;
    const listening = new DisposableStack();
    listening.defer(market.on("block", ({ number }) => this.#heardBlock(number)));
    listening.defer(market.on("connected", () => this.#missedQuorums()));
    listening.defer(market.on("assertion", (notice) => this.#heardAssertion(notice)));
    listening.defer(market.on("quorum", ({ guid }) => this.#quorum(guid)));
    listening.defer(
      market.on("settled", ({ guid, settler, payout }) => {
        if (sameAddress(settler, market.account)) this.#announced(guid, payout);
      }),
    );
    return listening;
  }

  /** Puts everything an earlier run left promised on the agenda; returns how many bounties that is. */
  resume(): number {
    const { ledger, market } = this.#parts;
    const left = ledger.inStates(market.id, PROMISED_STATES);
    const stored = ledger.publishedIn(market.id, PROMISED_STATES);
    for (const record of left) {
      const published = stored.has(record.bounty.guid);
      const promised = this.#put({ record, heardAt: undefined, published });
      promised.recalled.quorumUnheard = true;
      this.#reserve(record);
    }
    this.#consider();
    return left.length;
  }

  /** Takes over a bounty that was just planned and posts it at once. */
  async take(guid: Guid, heardAt: number): Promise<void> {
    const record = this.#ledger.find(this.#key(guid));
    if (record === undefined) return;
    const promised = this.#put({ record, heardAt, published: this.#isPublished(record) });
    await this.#start(promised, "assertion");
  }

  /** How many bounties still need something. */
  open(): number {
    return this.#agenda.size;
  }

  /** How many of them failed at their last attempt. */
  failing(): number {
    return [...this.#agenda.values()].filter(({ failures }) => Object.keys(failures).length > 0).length;
  }

  /** How many of them wait for longer than usual, by what they wait for. */
  overdue(): Readonly<Record<Stage, number>> {
    const facts = this.#facts();
    const counts: Record<Stage, number> = { post: 0, reveal: 0, settle: 0 };
    for (const promised of this.#agenda.values()) {
      const stage = overdueStage(promised, facts);
      if (stage !== undefined) counts[stage]++;
    }
    return counts;
  }

  /** False from a write that the disk refused until everything that is missing was written: nothing new is promised. */
  ledgerWritable(): boolean {
    return this.#ledger.writable();
  }

  /** No duty is begun any more; resolves when those under way are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#slots.clear();
    await Promise.allSettled(this.#running);
    this.#ledger.flush();
  }

  #key(guid: Guid): BountyKey {
    return { market: this.#parts.market.id, guid };
  }

  #facts(): { readonly head: number; readonly parameters: MarketParameters } {
    const { market } = this.#parts;
    return { head: market.head(), parameters: market.parameters() };
  }

  /** What the balance does not show yet, or not for certain. */
  #reserve({ bounty: { guid }, state }: BountyRecord): void {
    const plan =
      state === "planned" || state === "posting" ? this.#parts.ledger.assertion(this.#key(guid)) : undefined;
    if (plan !== undefined) this.#parts.reservations.reserve(guid, plan.stake + plan.fee);
  }

  /** A bounty is on the agenda once: two entries would each do its duties. */
  #put(bounty: Omit<Beginning, "head">): PromisedBounty {
    const { guid } = bounty.record.bounty;
    const known = this.#agenda.get(guid);
    if (known !== undefined) return known;
    const promised = promise({ ...bounty, head: this.#parts.market.head() });
    this.#agenda.set(guid, promised);
    return promised;
  }

  #heardBlock(number: number): void {
    this.#blockSignals.heard(this.#parts.market.head());
    if (this.#stopped) return;
    this.#ledger.flush();
    if (this.#skipped.before(number)) this.#doubtQuorums(number);
    this.#consider();
  }

  /** The stream was away: what was said meanwhile was not heard. */
  #missedQuorums(): void {
    for (const { recalled } of this.#agenda.values()) recalled.quorumUnheard = true;
  }

  #quorum(guid: Guid): void {
    const promised = this.#agenda.get(guid);
    if (promised === undefined || this.#stopped) return;
    // Any gateway can say so; a settlement that is too early costs a reverted transaction.
    const { recalled } = promised;
    if (!recalled.quorumAnnounced) promised.notBefore = {};
    recalled.quorumUnheard = true;
    recalled.quorumAnnounced = true;
    void this.#start(promised, "reveal");
  }

  /** The market told of our settlement, and may be the only one to tell. */
  #announced(guid: Guid, payout: Nct): void {
    const promised = this.#agenda.get(guid);
    if (promised === undefined) return;
    promised.recalled.announced = payout;
    promised.notBefore = {};
    void this.#start(promised, "reveal");
  }

  /**
   * The stream says where our assertion stands, before its receipt or a list may. Anyone can say so; the contract refuses
   * a reveal at a wrong place, so that a false word costs one reverted transaction.
   */
  #heardAssertion({ guid, author, index, commitment }: AssertionNotice): void {
    const { market } = this.#parts;
    const promised = this.#agenda.get(guid);
    if (promised === undefined || !sameAddress(author, market.account)) return;
    if (this.#ledger.assertion(this.#key(guid))?.commitment !== commitment) return;
    promised.recalled.noted = index;
    promised.recalled.placed.resolve(index);
  }

  /** What was said in blocks that the stream skipped was not heard. There are no votes before the reveal window closes. */
  #doubtQuorums(head: number): void {
    const { revealWindow } = this.#parts.market.parameters();
    for (const { record, recalled } of this.#agenda.values()) {
      if (record.bounty.expiration + revealWindow < head) recalled.quorumUnheard = true;
    }
  }

  #consider(): void {
    const facts = this.#facts();
    for (const promised of this.#agenda.values()) {
      // What is under way may have written down that it went on.
      if (TRACKS.some((track) => promised.tracks[track].running !== undefined)) this.#refresh(promised);
      const stage = overdueStage(promised, facts);
      if (stage !== undefined && !promised.toldOverdue.has(stage)) this.#tellOverdue(promised, stage);
      for (const track of TRACKS) void this.#start(promised, track);
    }
  }

  #tellOverdue(promised: PromisedBounty, stage: Stage): void {
    const { market, tell } = this.#parts;
    const { record, lastReason, due } = promised;
    promised.toldOverdue.add(stage);
    const blocks = market.head() - (due?.since ?? market.head());
    tell("duty.overdue", {
      guid: record.bounty.guid,
      duty: stage,
      state: record.state,
      blocks,
      ...(lastReason === undefined ? {} : { reason: lastReason }),
    });
  }

  /** Undefined when there is nothing to do on this track at this block, or it may not be done now. */
  #dueDuty(promised: PromisedBounty, track: Track): Duty | undefined {
    const duty = dutyAt(promised, track, this.#facts());
    return duty === undefined || this.#parts.may?.(duty) === false ? undefined : duty;
  }

  #slotsFor({ record: { bounty } }: PromisedBounty, duty: Duty): SlotKind | undefined {
    const { market } = this.#parts;
    return slotsFor(duty, bounty.expiration, market.parameters().revealWindow, market.head());
  }

  /** Resolves at once when there is nothing to do, or nothing that begins before others. */
  #start(promised: PromisedBounty, track: Track): Promise<void> | undefined {
    const state = promised.tracks[track];
    if (state.running !== undefined || this.#stopped) return undefined;
    const duty = this.#dueDuty(promised, track);
    if (duty === undefined) return undefined;
    const slots = this.#slotsFor(promised, duty);
    if (slots === undefined) return this.#begin(promised, track, undefined);
    if (state.queued) return undefined;
    state.queued = true;
    this.#slots.run(slots, duty, async () => {
      state.queued = false;
      await this.#begin(promised, track, slots);
    });
    return undefined;
  }

  #begin(promised: PromisedBounty, track: Track, slots: SlotKind | undefined): Promise<void> | undefined {
    const state = promised.tracks[track];
    if (state.running !== undefined || this.#stopped) return undefined;
    state.running = new AbortController();
    const run = this.#run(promised, track, { slots, signal: state.running.signal })
      // After a stop that took too long the ledger is closed while a duty is under way: the next start goes on.
      .catch((error: unknown) => {
        const guid = promised.record.bounty.guid;
        if (!this.#stopped) this.#parts.tell("bounty.failed", { guid, reason: describeError(error) });
        return "waits" as const;
      })
      .then((next) => {
        const { again } = state;
        state.running = undefined;
        state.again = false;
        this.#running.delete(run);
        if (next === "elsewhere" || again) void this.#start(promised, track);
      });
    this.#running.add(run);
    return run;
  }

  /** Does one duty after the other until the track has to wait, or what is next has slots of another kind. */
  async #run(
    promised: PromisedBounty,
    track: Track,
    { slots, signal }: { readonly slots: SlotKind | undefined; readonly signal: AbortSignal },
  ): Promise<"waits" | "elsewhere"> {
    const guid = promised.record.bounty.guid;
    let done: Duty | undefined;
    while (!this.#stopped && this.#agenda.has(guid)) {
      const duty = this.#dueDuty(promised, track);
      // What was done and is still to be done waits for the next block, so that it does not repeat forever.
      if (duty === undefined || duty === done) return "waits";
      const others = this.#slotsFor(promised, duty);
      if (slots !== undefined && others !== undefined && others !== slots) return "elsewhere";
      let problem: DutyResult;
      try {
        problem = await perform(duty, this.#context(promised, duty, signal));
      } catch (error) {
        problem = describeError(error);
      }
      const verifying = isVerifying(duty);
      if (problem === undefined && verifying) {
        promised.unverifiedSince = undefined;
        promised.lastLook = this.#parts.market.head();
      }
      const before = promised.record.state;
      this.#refresh(promised);
      // What the other track is about to say may be out of date: it has another go.
      const other = promised.tracks[otherThan(track)];
      other.again ||= other.running !== undefined && promised.record.state !== before;
      if (signal.aborted || (problem !== undefined && isOutdated(duty, promised.record.state)))
        return "waits";
      done = problem === undefined ? duty : undefined;
      if (problem === undefined) noteSuccess(promised, track);
      else this.#failed(promised, duty, problem);
      // A second look must not keep the metadata waiting.
      if (problem !== undefined && !verifying) return "waits";
    }
    return "waits";
  }

  #failed(promised: PromisedBounty, duty: Duty, reason: string): void {
    const { attempt, isNews } = noteFailure(promised, duty, reason, this.#facts());
    const { guid } = promised.record.bounty;
    if (isNews) this.#parts.tell("duty.failed", { guid, duty, reason, attempt });
  }

  #isPublished({ bounty }: BountyRecord): boolean {
    const uri = this.#ledger.assertion(this.#key(bounty.guid))?.metadataUri;
    return uri !== undefined && uri !== null;
  }

  /** Reads the record anew; a bounty that came to its end leaves the agenda. */
  #refresh(promised: PromisedBounty): void {
    const guid = promised.record.bounty.guid;
    const before = promised.record.state;
    const record = this.#ledger.find(this.#key(guid));
    if (record === undefined || record.state === "settled" || record.state === "abandoned")
      this.#agenda.delete(guid);
    if (record === undefined) return;
    promised.record = record;
    promised.published ||= this.#isPublished(record);
    if (record.state === before) return;
    promised.unverifiedSince = this.#parts.market.head();
    promised.lastLook = undefined;
    if (record.state === "revealed" || !PROMISED_STATES.some((state) => state === record.state))
      promised.tracks.assertion.running?.abort();
    for (const track of TRACKS) void this.#start(promised, track);
  }

  #context(promised: PromisedBounty, duty: Duty, signal: AbortSignal): DutyContext {
    const { record, heardAt, failures, recalled } = promised;
    const key = this.#key(record.bounty.guid);
    const assertion = this.#ledger.assertion(key);
    if (assertion === undefined)
      throw new Fault("LEDGER_STATE", `Bounty ${key.guid} is promised without a plan.`);
    return {
      ...this.#parts,
      key,
      record,
      assertion,
      recalled,
      heardAt,
      signal,
      untilBlock: (number) => this.#blockSignals.from(number),
      ledger: this.#ledger,
      failures: failures[duty] ?? 0,
      freshHead: () => this.#freshHead.ask(),
      freshRevealWindow: async () => (await this.#freshParameters.ask()).revealWindow,
    };
  }
}
