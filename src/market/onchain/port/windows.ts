/** What can still be done about a bounty after seeing a block. Source: protocol of BountyRegistry. */

/** A transaction sent after seeing block n is mined in n + 1 at the earliest, and must be mined before `expiration`. */
export const inTimeToPost = (expiration: number, head: number): boolean => head + 1 < expiration;

/** Whether a reveal sent now can still be mined inside the window. */
export const inTimeToReveal = (expiration: number, revealWindow: number, head: number): boolean =>
  head + 1 < expiration + revealWindow;

/** Whether the reveal of an assertion on this bounty should be on its way. */
export const revealIsDue = (expiration: number, revealWindow: number, head: number): boolean =>
  head >= revealFrom(expiration, revealWindow);

/** Blocks in which a reveal can still be looked for, handed over again and mined. */
const HURRY_BLOCKS = 5;

/** Whether a reveal whose fate is unknown has no time to wait for its turn. */
export const revealIsUrgent = (expiration: number, revealWindow: number, head: number): boolean =>
  head >= expiration + revealWindow - HURRY_BLOCKS;

/**
 * The block after which the reveal is sent. With room in the window we wait until a node that is a block behind would
 * accept it too; in the shortest windows there is no room, and the next block is the first of the window.
 */
function revealFrom(expiration: number, revealWindow: number): number {
  return revealWindow > 2 ? expiration : expiration - 1;
}
