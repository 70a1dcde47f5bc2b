/**
 * What is owed to and by a marketplace after an answer was planned, and how it is done: the other half of a marketplace. The
 * scheduler (src/producer/duties) knows no step by name. It asks what is next, does it, and does what fails again.
 */
import type { Bounty, MarketId } from "../domain/bounty.ts";
import type { Guid } from "../domain/guid.ts";
import type { BountyState } from "../domain/lifecycle.ts";
import type { DutyLedger } from "../ledger/duty-ledger.ts";
import type { AssertionRecord, BountyKey, BountyRecord } from "../ledger/records.ts";
import type { Moment } from "./moment.ts";

/** What opens an answer later; a marketplace that hides no answers gives nothing to open. */
export interface Sealed {
  readonly commitment: bigint;
  /** The secret of the commitment. */
  readonly nonce: bigint;
}

/**
 * `promise`: makes a promise, so it is not done by a producer that may promise nothing. `save`: what was promised is lost
 * without it. `rest`: all else.
 */
type StepKind = "promise" | "save" | "rest";

export interface StepTraits {
  /** Steps of one track of a bounty are done one after the other, its tracks side by side. */
  readonly track: string;
  readonly kind: StepKind;
  /** It only looks again: when it fails, what comes after it is done all the same. */
  readonly looksOnly?: true;
  /** It is tried at every moment, so that a failure is told of only when its reason is news. */
  readonly tellsNewsOnly?: true;
}

/** A kind of steps that are done a few at a time, the first of them first. All others begin at once. */
export interface StepSlots {
  readonly steps: readonly string[];
  readonly count: number;
}

/** What does not change about a settlement. */
export interface SettlementPlan {
  readonly tracks: readonly string[];
  readonly steps: Readonly<Record<string, StepTraits>>;
  readonly slots: Readonly<Record<string, StepSlots>>;
  /** What a bounty may wait for, and how long that takes where all is well. */
  readonly stages: Readonly<Record<string, Moment>>;
}

/** A bounty for which something is owed. */
export interface Owed<Memory = unknown> {
  readonly record: BountyRecord;
  /** What the settlement remembers of it while the process lives. Nothing depends on it that a crash must not lose. */
  readonly memory: Memory;
  /** Why its last step did not succeed. */
  readonly lastReason: string | undefined;
  /** Steps that pause after a failure: the moment before which each is not done again. */
  readonly notBefore: Readonly<Partial<Record<string, Moment>>>;
}

/** What may still be staked, and what concurrent answers have taken of it. Amounts in base units. */
export interface Reservations {
  reserve(guid: Guid, amount: bigint): void;
  /** Nothing was staked: the money is free again. */
  release(guid: Guid): void;
  /** The marketplace took it: the next balance that is read will show it. */
  spent(guid: Guid): void;
}

/** One step for one bounty: what is known of it, and what is needed to do it. */
export interface StepWork<Memory = unknown> {
  readonly key: BountyKey;
  readonly record: BountyRecord;
  readonly assertion: AssertionRecord;
  readonly memory: Memory;
  /** When we heard of the bounty; unknown after a restart. */
  readonly heardAt: number | undefined;
  /** How often in a row this step did not succeed. */
  readonly failures: number;
  /** Durable before bytes leave: whatever is sent is written there first. */
  readonly ledger: DutyLedger;
  readonly reservations: Reservations;
  /** Aborts when the bounty needs this no longer: never for something else that waits for it. */
  readonly signal: AbortSignal;
}

/** How a step went: done, or a sentence that says why it has to be done again. */
export type StepResult = string | undefined;

/** The bounties for which something is owed, as a settlement that hears news of them sees it. */
export interface Agenda<Memory = unknown> {
  get(guid: Guid): Owed<Memory> | undefined;
  all(): Iterable<Owed<Memory>>;
  assertion(guid: Guid): AssertionRecord | undefined;
  /** Time went on, or there is news: looks at all of them. */
  consider(): void;
  /** There is news of one: looks at this track of it. */
  wake(guid: Guid, track: string): void;
  /** Its pauses are over: what failed before may succeed now. */
  endPauses(guid: Guid): void;
  /** Takes over a bounty that was just planned, or found on the market. `heardAt`: when we heard of it. */
  take(guid: Guid, heardAt: number): Promise<void>;
  /** Takes up what the ledger has as promised and the agenda does not. */
  resume(): number;
}

export interface Settlement<Memory = unknown> {
  readonly market: MarketId;
  readonly plan: SettlementPlan;
  /** Now, in the time of the marketplace. */
  moment(): Moment;
  /** Seals verdict bits for a bounty. */
  seal(bounty: Bounty, verdicts: bigint): Sealed;
  /** What is to be remembered of bounties that come onto the agenda, one for each. `left`: an earlier run left them. */
  remember(records: readonly BountyRecord[], whence: "left" | "new"): readonly Memory[];
  /** The next step on a track, or undefined when there is none at this moment. Reads nothing but its arguments and the time. */
  next(owed: Owed<Memory>, track: string): string | undefined;
  /** Whether a step has no time to wait for its slot. */
  isUrgent(step: string, owed: Owed<Memory>): boolean;
  /** Rejects when the step could not even be tried. */
  perform(step: string, work: StepWork<Memory>): Promise<StepResult>;
  /** The record may have changed: called after each step, and whenever the ledger was asked anew. */
  refreshed(owed: Owed<Memory>, before: BountyState, assertion: AssertionRecord | undefined): void;
  /** The moment before which a step that failed so often in a row is not done again; undefined: at every moment. */
  pauseUntil(step: string, attempt: number, owed: Owed<Memory>): Moment | undefined;
  /** Whether what a step has to say came too late to matter. */
  isOutdated(step: string, state: BountyState): boolean;
  /** Whether what is under way on a track is of no use any more. */
  isOver(track: string, state: BountyState): boolean;
  /** What is due of a bounty by now; undefined when it waits for others. */
  stageDue(record: BountyRecord): string | undefined;
  /** Hears what the marketplace tells of what is owed, until the returned is disposed of. */
  listen(agenda: Agenda<Memory>): Disposable;
  /** Nothing is begun any more; resolves when what it does beside the steps is done. */
  stop(): Promise<void>;
}
