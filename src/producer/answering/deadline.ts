import { type Instant, instant } from "../../domain/chain.ts";

/** Blocks between the moment answers are due and the last block that can take the assertion. */
const POSTING_BLOCKS = 2;

/**
 * The instant at which we assert on what we have. The last block to send in is `expiration - 2` (mined in
 * `expiration - 1`); we aim for two block times before it, to build, sign and send, but keep at least half of what time
 * is left for scanning, and never pass the last block.
 */
export function answersDue(expiration: number, now: Instant, instantOf: (block: number) => Instant): Instant {
  const last = instantOf(expiration - 2);
  const comfortable = instantOf(expiration - 2 - POSTING_BLOCKS);
  return instant(Math.max(comfortable, Math.ceil(now + (last - now) / 2)));
}
