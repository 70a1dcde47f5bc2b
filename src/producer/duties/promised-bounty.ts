import type { BountyRecord } from "../../ledger/records.ts";
import { type Duty, type DutyFacts, isOverdue, type Stage, stageDue, type Track } from "../../market/onchain/settlement/record/duty.ts";
import type { Recollection } from "../../market/onchain/settlement/record/duty-context.ts";

/** How one track of a bounty stands. */
interface TrackState {
  /** Aborts what is under way when the bounty needs it no longer; undefined while nothing is. */
  running: AbortController | undefined;
  /** Waits for a slot in the background. */
  queued: boolean;
  /** The other track went on meanwhile. */
  again: boolean;
}

/** A bounty on the agenda, and what is remembered of it while the process lives. */
export interface PromisedBounty {
  record: BountyRecord;
  /** Whether the assertion's metadata is stored with the market. */
  published: boolean;
  readonly tracks: Readonly<Record<Track, TrackState>>;
  /** How often in a row each duty did not succeed, since the last of its track that did. */
  failures: Partial<Record<Duty, number>>;
  /** Of the last failure. */
  lastReason: string | undefined;
  /** Duties that pause after a failure: the block before which each is not tried again. */
  notBefore: Partial<Record<Duty, number>>;
  /** The block since which it is `asserted` or `revealed`, until it was looked at again. */
  unverifiedSince: number | undefined;
  /** The newest block at the last look that found it there. */
  lastLook: number | undefined;
  /** What is due, and since which block as far as we know. */
  due: { readonly stage: Stage; readonly since: number } | undefined;
  /** Stages of which it was told that they are overdue. */
  readonly toldOverdue: Set<Stage>;
  readonly recalled: Recollection;
  /** When we heard of the bounty; unknown after a restart. */
  readonly heardAt: number | undefined;
}

/** What is known of a bounty when it is put on the agenda. */
export interface Beginning {
  readonly record: BountyRecord;
  readonly heardAt: number | undefined;
  readonly published: boolean;
  /** The newest block. */
  readonly head: number;
}

export const promise = ({ head, ...known }: Beginning): PromisedBounty => ({
  ...known,
  tracks: {
    assertion: { running: undefined, queued: false, again: false },
    reveal: { running: undefined, queued: false, again: false },
  },
  failures: {},
  lastReason: undefined,
  notBefore: {},
  unverifiedSince: head,
  lastLook: undefined,
  due: undefined,
  toldOverdue: new Set(),
  recalled: {
    refusal: undefined,
    timesResent: 0,
    revealIndex: undefined,
    revealFailed: false,
    refusedAsLate: 0,
    triedLate: false,
    announced: undefined,
    settlement: { seen: undefined, refused: false, contractAsked: false },
    quorumUnheard: false,
    quorumAnnounced: false,
    noted: undefined,
    placed: Promise.withResolvers(),
    tried: [],
    misplaced: undefined,
    look: undefined,
  },
});

/** Notes what is due at this block, and says which stage takes longer than usual. */
export function overdueStage(
  promised: PromisedBounty,
  facts: Pick<DutyFacts, "head" | "parameters">,
): Stage | undefined {
  const stage = stageDue({ ...facts, record: promised.record });
  if (stage === undefined) promised.due = undefined;
  else if (promised.due?.stage !== stage) promised.due = { stage, since: facts.head };
  const { due } = promised;
  return due !== undefined && isOverdue(due.stage, due.since, facts.head) ? due.stage : undefined;
}
