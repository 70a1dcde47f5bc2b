import type { BountyRecord } from "../../../../ledger/records.ts";
import type { MarketParameters } from "../../port/parameters.ts";
import { inTimeToPost, inTimeToReveal, revealIsDue } from "../../port/windows.ts";

/**
 * What a promised bounty needs next. Decided anew at every block from the ledger's record, the newest block and the
 * windows as they are now (they may change while a bounty is in flight), so nothing is scheduled that could go stale.
 *
 *     state      track      in this order                                   block (E expires, R ends reveals, V ends votes)
 *     planned    assertion  post                                            before E
 *                           give-up                                         from E on
 *     posting    assertion  confirm-post
 *                reveal     reveal                                          E to R
 *     asserted   assertion  verify-post                                     once, before E, and once just before
 *                           publish                                         unless published, before E
 *                reveal     reveal                                          E to R
 *                           miss-reveal, then as revealed                   from R on
 *     revealing  reveal     confirm-reveal, then as revealed if it was missed
 *     revealed   reveal     verify-reveal                                   once, before R, and once just before
 *                           settle                                          quorum, or from V on
 *                           ask-quorum                                      once, from R on, if it may have been missed
 *     settling   reveal     confirm-settle                                  unless there is still time to reveal
 *
 * - `post`            planned and still in time: sign and send.
 * - `confirm-post`    sent, fate unknown: look on the market, and hand the same bytes over again.
 * - `verify-post`     asserted: look whether it is still there, because blocks can be taken back.
 * - `publish`         asserted: store the metadata before the reveal window opens.
 * - `reveal`          the window is open; also while the post is unconfirmed, as soon as an index is found or tried.
 * - `confirm-reveal`  a reveal was sent, fate unknown: look, and hand over again while the window is open.
 * - `verify-reveal`   revealed: look whether it is still there.
 * - `miss-reveal`     the window closed without us: write it down, then wait for settlement.
 * - `ask-quorum`      whether the arbiters agreed while the stream was away.
 * - `settle`          quorum, or the end of the vote window.
 * - `confirm-settle`  a settlement was sent, fate unknown.
 * - `give-up`         planned, never sent, and too late now.
 * - `wait`            nothing to do at this block.
 *
 * The two tracks of a bounty run side by side, one duty at a time on each. So what is asked about the assertion, however
 * slow the answer, never holds up the reveal, and is not called off for it.
 *
 * `give-up` and `miss-reveal` cannot be taken back, and the newest block that the event stream told of may be none of
 * this chain: the marketplace is asked first (see `isPast`).
 */
export type Duty =
  | "post"
  | "confirm-post"
  | "verify-post"
  | "publish"
  | "reveal"
  | "confirm-reveal"
  | "verify-reveal"
  | "miss-reveal"
  | "ask-quorum"
  | "settle"
  | "confirm-settle"
  | "give-up"
  | "wait";

/** What can be done about a bounty at the same time. */
export type Track = "assertion" | "reveal";

export interface DutyFacts {
  readonly record: Pick<BountyRecord, "state" | "quorum" | "revealMissed"> & {
    readonly bounty: { readonly expiration: number };
  };
  readonly published: boolean;
  /** The block since which the bounty is `asserted` or `revealed`, until it was looked at again. */
  readonly unverifiedSince: number | undefined;
  /** The newest block at the last look that found it, since it is `asserted` or `revealed`. */
  readonly lastLook?: number | undefined;
  /** The arbiters may have agreed without our hearing of it. */
  readonly quorumUnheard: boolean;
  readonly head: number;
  readonly parameters: Pick<MarketParameters, "revealWindow" | "voteWindow">;
}

/** Reorganisations are seldom deeper; an assertion or a reveal is looked at again when it lies this deep. */
const VERIFY_AFTER_BLOCKS = 3;
/** Some are: it is looked at once more when a window has no more than this left, in which it can be handed over again. */
const LAST_LOOK_BLOCKS = 3;

export const nextDuty = (track: Track, facts: DutyFacts): Duty =>
  track === "assertion" ? assertionDuty(facts) : revealDuty(facts);

function assertionDuty(facts: DutyFacts): Duty {
  const { record, head, parameters, published } = facts;
  const { expiration } = record.bounty;
  const inTime = inTimeToPost(expiration, head);
  switch (record.state) {
    case "planned":
      return inTime ? "post" : "give-up";
    case "posting":
      return "confirm-post";
    case "asserted":
      if (revealIsDue(expiration, parameters.revealWindow, head)) return "wait";
      if (inTime && isToVerify(facts, expiration)) return "verify-post";
      return published ? "wait" : "publish";
    default:
      return "wait";
  }
}

function revealDuty(facts: DutyFacts): Duty {
  const { record, head, parameters } = facts;
  const { expiration } = record.bounty;
  const { revealWindow } = parameters;
  const revealEnd = expiration + revealWindow;
  const inTime = inTimeToReveal(expiration, revealWindow, head);
  const isDue = inTime && revealIsDue(expiration, revealWindow, head);
  switch (record.state) {
    case "posting":
      return isDue ? "reveal" : "wait";
    case "asserted":
      if (!inTime) return afterReveal("miss-reveal");
      return isDue ? "reveal" : "wait";
    case "revealing":
      return inTime ? "confirm-reveal" : afterReveal("confirm-reveal");
    case "revealed":
      return inTime && isToVerify(facts, revealEnd) ? "verify-reveal" : settlement();
    case "settling":
      // Settled for in error: a settlement inside the reveal window reverts, and the stake can still be saved.
      if (record.revealMissed && inTime) return isDue ? "confirm-reveal" : "wait";
      return "confirm-settle";
    default:
      return "wait";
  }

  /** A reveal that was written off counts only while it is too late: the window, or what we took for the head, may move. */
  function afterReveal(first: Duty): Duty {
    return record.revealMissed ? settlement() : first;
  }

  function settlement(): Duty {
    if (settlementIsDue(facts)) return "settle";
    // Before that there can be no vote.
    return facts.quorumUnheard && head >= revealEnd ? "ask-quorum" : "wait";
  }
}

/** When it lies deep enough, or at the last block at which something can still be done; and just before the end. */
function isToVerify({ unverifiedSince: since, lastLook, head }: DutyFacts, end: number): boolean {
  if (since !== undefined) return head >= Math.min(since + VERIFY_AFTER_BLOCKS, end - 2);
  const last = end - LAST_LOOK_BLOCKS;
  return lastLook !== undefined && lastLook < last && head >= last;
}

const settlementIsDue = ({ record, head, parameters }: Pick<DutyFacts, "record" | "head" | "parameters">) =>
  record.quorum || head >= record.bounty.expiration + parameters.revealWindow + parameters.voteWindow;

/** What a bounty waits for: our post to be confirmed, our reveal to be mined, our settlement. */
export type Stage = "post" | "reveal" | "settle";

/** What is due of a bounty by now; undefined when it waits for others. */
export function stageDue(facts: Pick<DutyFacts, "record" | "head" | "parameters">): Stage | undefined {
  const { record, head, parameters } = facts;
  const { state, revealMissed } = record;
  const settle = settlementIsDue(facts) ? "settle" : undefined;
  switch (state) {
    case "posting":
    case "asserted":
    case "revealing":
      if (revealMissed) return settle;
      if (revealIsDue(record.bounty.expiration, parameters.revealWindow, head)) return "reveal";
      return state === "posting" ? "post" : undefined;
    case "revealed":
    case "settling":
      return settle;
    default:
      return undefined;
  }
}
