import type { MarketParameters } from "../domain/bounty.ts";
import type { BountyRecord } from "../ledger/records.ts";

/**
 * What a promised bounty needs next. Decided anew at every block from the ledger's record, the newest block and the
 * windows as they are now (they may change while a bounty is in flight), so nothing is scheduled that could go stale.
 *
 * - `post`            planned and still in time: sign and send.
 * - `confirm-post`    sent, fate unknown: look on the market before anything else.
 * - `publish`         asserted: store the metadata before the reveal window opens.
 * - `reveal`          the window is open.
 * - `confirm-reveal`  a reveal was sent, fate unknown: look, and send again while the window is open.
 * - `miss-reveal`     the window closed without us: write it down, then wait for settlement.
 * - `settle`          quorum, or the end of the vote window.
 * - `confirm-settle`  a settlement was sent, fate unknown.
 * - `give-up`         planned, never sent, and too late now.
 * - `wait`            nothing to do at this block.
 */
export type Duty =
  | "post"
  | "confirm-post"
  | "publish"
  | "reveal"
  | "confirm-reveal"
  | "miss-reveal"
  | "settle"
  | "confirm-settle"
  | "give-up"
  | "wait";

export interface DutyFacts {
  readonly record: Pick<BountyRecord, "state" | "quorum" | "revealMissed"> & {
    readonly bounty: { readonly expiration: number };
  };
  readonly published: boolean;
  readonly head: number;
  readonly parameters: Pick<MarketParameters, "revealWindow" | "voteWindow">;
}

export function nextDuty({ record, published, head, parameters }: DutyFacts): Duty {
  const expiration = record.bounty.expiration;
  const revealEnd = expiration + parameters.revealWindow;
  switch (record.state) {
    case "planned":
      return inTimeToPost(expiration, head) ? "post" : "give-up";
    case "posting":
      return "confirm-post";
    case "asserted":
      if (!inTimeToReveal(expiration, parameters.revealWindow, head)) return afterReveal("miss-reveal");
      if (revealIsDue(expiration, parameters.revealWindow, head)) return "reveal";
      return published ? "wait" : "publish";
    case "revealing":
      if (inTimeToReveal(expiration, parameters.revealWindow, head)) return "confirm-reveal";
      return afterReveal("confirm-reveal");
    case "revealed":
      return settleable() ? "settle" : "wait";
    case "settling":
      // Settled for in error: a settlement inside the reveal window reverts, and the stake can still be saved.
      if (record.revealMissed && inTimeToReveal(expiration, parameters.revealWindow, head))
        return revealIsDue(expiration, parameters.revealWindow, head) ? "confirm-reveal" : "wait";
      return "confirm-settle";
    default:
      return "wait";
  }

  /** A reveal that was written off counts only while it is too late: the window, or what we took for the head, may move. */
  function afterReveal(first: Duty): Duty {
    if (!record.revealMissed) return first;
    return settleable() ? "settle" : "wait";
  }

  function settleable(): boolean {
    return record.quorum || head >= revealEnd + parameters.voteWindow;
  }
}

/** A transaction sent after seeing block n is mined in n + 1 at the earliest, and must be mined before `expiration`. */
export const inTimeToPost = (expiration: number, head: number): boolean => head + 1 < expiration;

/** Whether a reveal sent now can still be mined inside the window. */
export const inTimeToReveal = (expiration: number, revealWindow: number, head: number): boolean =>
  head + 1 < expiration + revealWindow;

/** Whether the reveal of an assertion on this bounty should be on its way: nothing else about it may take time then. */
export const revealIsDue = (expiration: number, revealWindow: number, head: number): boolean =>
  head >= revealFrom(expiration, revealWindow);

/**
 * The block after which the reveal is sent. With room in the window we wait until a node that is a block behind would
 * accept it too; in the shortest windows there is no room, and the next block is the first of the window.
 */
function revealFrom(expiration: number, revealWindow: number): number {
  return revealWindow > 2 ? expiration : expiration - 1;
}
