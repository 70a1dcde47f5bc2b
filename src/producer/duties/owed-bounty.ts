/**
 * A bounty on the agenda, when its steps are tried, and what a try that failed changes about that. The bounty is changed in
 * place; no clock is read and nothing is told.
 */

import type { BountyRecord } from "../../ledger/records.ts";
import type { Moment } from "../../market/moment.ts";
import type { Owed, Settlement } from "../../market/settlement.ts";

/** How one track of a bounty stands. */
interface TrackState {
  /** Aborts what is under way when the bounty needs it no longer; undefined while nothing is. */
  running: AbortController | undefined;
  /** Waits for a slot in the background. */
  queued: boolean;
  /** Another track went on meanwhile. */
  again: boolean;
}

/** A bounty on the agenda, and what is remembered of it while the process lives. */
export interface OwedBounty extends Owed {
  record: BountyRecord;
  readonly tracks: ReadonlyMap<string, TrackState>;
  /** How often in a row each step did not succeed, since the last of its track that did. */
  readonly failures: Map<string, number>;
  lastReason: string | undefined;
  notBefore: Partial<Record<string, Moment>>;
  /** What is due, and since which moment as far as we know. */
  due: { readonly stage: string; readonly since: Moment } | undefined;
  /** Stages of which it was told that they are overdue. */
  readonly toldOverdue: Set<string>;
  /** When we heard of the bounty; unknown after a restart. */
  readonly heardAt: number | undefined;
}

/** A bounty that comes onto the agenda. */
export const owe = (
  known: Pick<OwedBounty, "record" | "memory" | "heardAt">,
  tracks: readonly string[],
): OwedBounty => ({
  ...known,
  tracks: new Map(tracks.map((track) => [track, { running: undefined, queued: false, again: false }])),
  failures: new Map(),
  lastReason: undefined,
  notBefore: {},
  due: undefined,
  toldOverdue: new Set(),
});

/** What is to be done on this track now; undefined when there is nothing, or it is in a pause. */
export function stepAt(owed: OwedBounty, track: string, settlement: Settlement): string | undefined {
  const step = settlement.next(owed, track);
  return step === undefined || settlement.moment() < (owed.notBefore[step] ?? 0) ? undefined : step;
}

/** Forgets the failures of a track, one of whose steps was done. Other tracks have failures of their own. */
export function noteSuccess(owed: OwedBounty, track: string, { plan }: Settlement): void {
  for (const step of owed.failures.keys()) if (plan.steps[step]?.track === track) owed.failures.delete(step);
  owed.lastReason = undefined;
}

interface Failure {
  /** How often in a row the step has failed by now. */
  readonly attempt: number;
  /** Whether it is worth telling. */
  readonly isNews: boolean;
}

/** Notes that a step failed for this reason, and the moment before which it is not tried again. */
export function noteFailure(owed: OwedBounty, step: string, reason: string, settlement: Settlement): Failure {
  const attempt = (owed.failures.get(step) ?? 0) + 1;
  owed.failures.set(step, attempt);
  const until = settlement.pauseUntil(step, attempt, owed);
  if (until !== undefined) owed.notBefore[step] = until;
  const isNews = settlement.plan.steps[step]?.tellsNewsOnly !== true || reason !== owed.lastReason;
  owed.lastReason = reason;
  return { attempt, isNews };
}

/** Notes what is due now, and says which stage takes longer than usual. */
export function overdueStage(owed: OwedBounty, settlement: Settlement): string | undefined {
  const stage = settlement.stageDue(owed.record);
  const now = settlement.moment();
  if (stage === undefined) owed.due = undefined;
  else if (owed.due?.stage !== stage) owed.due = { stage, since: now };
  const { due } = owed;
  if (due === undefined) return undefined;
  return now - due.since >= (settlement.plan.stages[due.stage] ?? 0) ? due.stage : undefined;
}
