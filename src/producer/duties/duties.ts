import { describeError, Fault } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import { PROMISED_STATES } from "../../domain/lifecycle.ts";
import type { Nct } from "../../domain/nct.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { AssertionRecord, BountyKey, BountyRecord } from "../../ledger/records.ts";
import type {
  Agenda,
  Reservations,
  Settlement,
  StepResult,
  StepTraits,
  StepWork,
} from "../../market/settlement.ts";
import type { Tell } from "../events/events.ts";
import { DutySlots } from "./duty-slots.ts";
import { noteFailure, noteSuccess, type OwedBounty, overdueStage, owe, stepAt } from "./owed-bounty.ts";
import { WriteBehindLedger } from "./write-behind-ledger.ts";

export interface DutiesParts {
  readonly settlement: Settlement;
  readonly ledger: Ledger;
  readonly reservations: Reservations;
  readonly tell: Tell;
  /** Called when a settlement of ours was written down; `null` when what it paid is not known. It must not throw. */
  readonly onSettled?: (guid: Guid, payout: Nct | null) => void;
  /** Whether steps of a kind may be done now; what may not waits. Default: all may. */
  readonly may?: (kind: StepTraits["kind"]) => boolean;
}

/**
 * Keeps our promises on one marketplace, whatever they are: what is next, how it is done and when it is tried again are the
 * settlement's to say.
 *
 *     on the agenda ──time goes on, there is news, the last step done──► what does it need? (settlement.next)
 *          ▲  ▲                                                           │            │           │
 *          │  └────────────────────nothing now, or in a pause─────────────┘         at once    a few at a time
 *          │                                                                          │           ▼
 *          └──failed: again at a later moment──── doing it, one step per track ◄──────┴──── waiting for a slot
 *                                                        │
 *                                                        └──settled or abandoned──► off the agenda
 *
 * Every promised bounty (state `planned` to `settling`) is on the agenda. A step that fails is tried again until it succeeds or
 * is provably too late. What is sent stands in the journal first, so a crash at any moment leaves a record from which the next
 * start goes on.
 *
 * **Slow is a state.** The picture above is that of one track; the tracks of a bounty run side by side.
 *
 * - A step is never called off for another that waits for it.
 * - A step whose answers take long is simply under way when time goes on; nothing is begun beside it on its track.
 * - What fails is told of (`duty.failed`) and tried again later, most of it after longer and longer pauses.
 * - What is due for longer than usual is told of once (`duty.overdue`) and counted (`overdue`) until it is done.
 *
 * Ten thousand bounties that wait cost a few comparisons each when time goes on. What has time to spare takes one of a few slots,
 * so that a start with many open bounties holds nothing up.
 */
export class Duties implements Agenda {
  readonly #parts: DutiesParts;
  readonly #settlement: Settlement;
  readonly #ledger: WriteBehindLedger;
  readonly #agenda = new Map<Guid, OwedBounty>();
  readonly #slots: DutySlots;
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(parts: DutiesParts) {
    this.#parts = parts;
    const { settlement, ledger, tell } = parts;
    this.#settlement = settlement;
    this.#ledger = new WriteBehindLedger(ledger, settlement.market, tell);
    this.#slots = new DutySlots(settlement.plan.slots);
  }

  /** Hears what the marketplace tells, until the returned is disposed of: after `stop`, which waits for what it needs of it. */
  listen(): Disposable {
    return this.#settlement.listen(this);
  }

  /** Puts everything an earlier run left promised on the agenda; returns how many bounties that is. */
  resume(): number {
    const left = this.#parts.ledger.inStates(this.#settlement.market, PROMISED_STATES);
    const memories = this.#settlement.remember(left, "left");
    for (const [index, record] of left.entries()) {
      this.#put({ record, memory: memories[index], heardAt: undefined });
      this.#reserve(record);
    }
    this.consider();
    return left.length;
  }

  /** Takes over a bounty that was just planned and does what is first at once. */
  async take(guid: Guid, heardAt: number): Promise<void> {
    const record = this.#ledger.find(this.#key(guid));
    if (record === undefined) return;
    const [memory] = this.#settlement.remember([record], "new");
    const owed = this.#put({ record, memory, heardAt });
    await Promise.all(this.#tracks().map((track) => this.#start(owed, track)));
  }

  /** How many bounties still need something. */
  open(): number {
    return this.#agenda.size;
  }

  /** How many of them failed at their last attempt. */
  failing(): number {
    return [...this.#agenda.values()].filter(({ failures }) => failures.size > 0).length;
  }

  /** How many of them wait for longer than usual, by what they wait for. */
  overdue(): Readonly<Record<string, number>> {
    const counts = Object.fromEntries(Object.keys(this.#settlement.plan.stages).map((stage) => [stage, 0]));
    for (const owed of this.#agenda.values()) {
      const stage = overdueStage(owed, this.#settlement);
      if (stage !== undefined) counts[stage] = (counts[stage] ?? 0) + 1;
    }
    return counts;
  }

  /** False from a write that the disk refused until everything that is missing was written: nothing new is promised. */
  ledgerWritable(): boolean {
    return this.#ledger.writable();
  }

  /** No step is begun any more; resolves when those under way are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#slots.clear();
    const settled = this.#settlement.stop();
    await Promise.allSettled(this.#running);
    this.#ledger.flush();
    await settled;
  }

  get(guid: Guid): OwedBounty | undefined {
    return this.#agenda.get(guid);
  }

  all(): Iterable<OwedBounty> {
    return this.#agenda.values();
  }

  assertion(guid: Guid): AssertionRecord | undefined {
    return this.#ledger.assertion(this.#key(guid));
  }

  consider(): void {
    if (this.#stopped) return;
    this.#ledger.flush();
    for (const owed of this.#agenda.values()) {
      // What is under way may have written down that it went on.
      if ([...owed.tracks.values()].some(({ running }) => running !== undefined)) this.#refresh(owed);
      const stage = overdueStage(owed, this.#settlement);
      if (stage !== undefined && !owed.toldOverdue.has(stage)) this.#tellOverdue(owed, stage);
      for (const track of this.#tracks()) void this.#start(owed, track);
    }
  }

  wake(guid: Guid, track: string): void {
    const owed = this.#agenda.get(guid);
    if (owed !== undefined) void this.#start(owed, track);
  }

  endPauses(guid: Guid): void {
    const owed = this.#agenda.get(guid);
    if (owed !== undefined) owed.notBefore = {};
  }

  #tracks(): readonly string[] {
    return this.#settlement.plan.tracks;
  }

  #key(guid: Guid): BountyKey {
    return { market: this.#settlement.market, guid };
  }

  /** What the balance does not show yet, or not for certain. */
  #reserve({ bounty: { guid }, state }: BountyRecord): void {
    const plan =
      state === "planned" || state === "posting" ? this.#parts.ledger.assertion(this.#key(guid)) : undefined;
    if (plan !== undefined) this.#parts.reservations.reserve(guid, plan.stake + plan.fee);
  }

  /** A bounty is on the agenda once: two entries would each do its steps. */
  #put(known: Pick<OwedBounty, "record" | "memory" | "heardAt">): OwedBounty {
    const { guid } = known.record.bounty;
    const before = this.#agenda.get(guid);
    if (before !== undefined) return before;
    const owed = owe(known, this.#tracks());
    this.#agenda.set(guid, owed);
    return owed;
  }

  #tellOverdue(owed: OwedBounty, stage: string): void {
    const { record, lastReason, due } = owed;
    const now = this.#settlement.moment();
    owed.toldOverdue.add(stage);
    this.#parts.tell("duty.overdue", {
      guid: record.bounty.guid,
      duty: stage,
      state: record.state,
      late: now - (due?.since ?? now),
      ...(lastReason === undefined ? {} : { reason: lastReason }),
    });
  }

  /** Undefined when there is nothing to do on this track now, or it may not be done now. */
  #dueStep(owed: OwedBounty, track: string): string | undefined {
    const step = stepAt(owed, track, this.#settlement);
    const kind = step === undefined ? undefined : this.#settlement.plan.steps[step]?.kind;
    return kind !== undefined && this.#parts.may?.(kind) === false ? undefined : step;
  }

  #slotsFor(owed: OwedBounty, step: string): string | undefined {
    return this.#settlement.isUrgent(step, owed) ? undefined : this.#slots.kindOf(step);
  }

  /** Resolves at once when there is nothing to do, or nothing that begins before others. */
  #start(owed: OwedBounty, track: string): Promise<void> | undefined {
    const state = owed.tracks.get(track);
    if (state === undefined || state.running !== undefined || this.#stopped) return undefined;
    const step = this.#dueStep(owed, track);
    if (step === undefined) return undefined;
    const slots = this.#slotsFor(owed, step);
    if (slots === undefined) return this.#begin(owed, track, undefined);
    if (state.queued) return undefined;
    state.queued = true;
    this.#slots.run(slots, step, async () => {
      state.queued = false;
      await this.#begin(owed, track, slots);
    });
    return undefined;
  }

  #begin(owed: OwedBounty, track: string, slots: string | undefined): Promise<void> | undefined {
    const state = owed.tracks.get(track);
    if (state === undefined || state.running !== undefined || this.#stopped) return undefined;
    state.running = new AbortController();
    const run = this.#run(owed, track, { slots, signal: state.running.signal })
      // After a stop that took too long the ledger is closed while a step is under way: the next start goes on.
      .catch((error: unknown) => {
        const guid = owed.record.bounty.guid;
        if (!this.#stopped) this.#parts.tell("bounty.failed", { guid, reason: describeError(error) });
        return "waits" as const;
      })
      .then((next) => {
        const { again } = state;
        state.running = undefined;
        state.again = false;
        this.#running.delete(run);
        if (next === "elsewhere" || again) void this.#start(owed, track);
      });
    this.#running.add(run);
    return run;
  }

  /** Does one step after the other until the track has to wait, or what is next has slots of another kind. */
  async #run(
    owed: OwedBounty,
    track: string,
    { slots, signal }: { readonly slots: string | undefined; readonly signal: AbortSignal },
  ): Promise<"waits" | "elsewhere"> {
    const guid = owed.record.bounty.guid;
    let done: string | undefined;
    while (!this.#stopped && this.#agenda.has(guid)) {
      const step = this.#dueStep(owed, track);
      // What was done and is still to be done waits until time goes on, so that it does not repeat forever.
      if (step === undefined || step === done) return "waits";
      const others = this.#slotsFor(owed, step);
      if (slots !== undefined && others !== undefined && others !== slots) return "elsewhere";
      const problem = await this.#perform(owed, step, signal);
      const before = owed.record.state;
      this.#refresh(owed);
      // What the other tracks are about to say may be out of date: they have another go.
      for (const [other, state] of owed.tracks)
        state.again ||= other !== track && state.running !== undefined && owed.record.state !== before;
      if (signal.aborted || (problem !== undefined && this.#settlement.isOutdated(step, owed.record.state)))
        return "waits";
      done = problem === undefined ? step : undefined;
      if (problem === undefined) noteSuccess(owed, track, this.#settlement);
      else this.#failed(owed, step, problem);
      if (problem !== undefined && this.#settlement.plan.steps[step]?.looksOnly !== true) return "waits";
    }
    return "waits";
  }

  async #perform(owed: OwedBounty, step: string, signal: AbortSignal): Promise<StepResult> {
    try {
      return await this.#settlement.perform(step, this.#work(owed, step, signal));
    } catch (error) {
      return describeError(error);
    }
  }

  #failed(owed: OwedBounty, step: string, reason: string): void {
    const { attempt, isNews } = noteFailure(owed, step, reason, this.#settlement);
    const { guid } = owed.record.bounty;
    if (isNews) this.#parts.tell("duty.failed", { guid, duty: step, reason, attempt });
  }

  /** Reads the record anew; a bounty that came to its end leaves the agenda. */
  #refresh(owed: OwedBounty): void {
    const key = this.#key(owed.record.bounty.guid);
    const before = owed.record.state;
    const record = this.#ledger.find(key);
    const isOver = record === undefined || record.state === "settled" || record.state === "abandoned";
    const left = isOver && this.#agenda.delete(key.guid);
    if (record === undefined) return;
    owed.record = record;
    const assertion = this.#ledger.assertion(key);
    if (left && record.state === "settled") this.#parts.onSettled?.(key.guid, assertion?.payout ?? null);
    this.#settlement.refreshed(owed, before, assertion);
    if (record.state === before) return;
    for (const [track, { running }] of owed.tracks)
      if (this.#settlement.isOver(track, record.state)) running?.abort();
    for (const track of this.#tracks()) void this.#start(owed, track);
  }

  #work(owed: OwedBounty, step: string, signal: AbortSignal): StepWork {
    const { record, memory, heardAt, failures } = owed;
    const key = this.#key(record.bounty.guid);
    const assertion = this.#ledger.assertion(key);
    if (assertion === undefined)
      throw new Fault("LEDGER_STATE", `Bounty ${key.guid} is promised without a plan.`);
    return {
      key,
      record,
      assertion,
      memory,
      heardAt,
      failures: failures.get(step) ?? 0,
      ledger: this.#ledger,
      reservations: this.#parts.reservations,
      signal,
    };
  }
}
