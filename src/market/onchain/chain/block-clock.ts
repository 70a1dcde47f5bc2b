/**
 * Tells time in blocks. Bounties expire in blocks and scans end by the clock; this converts the one to the other from
 * what was observed, without assuming how long a block takes.
 *
 * What is observed is not when a block was made but when we heard of it: late, never early. Some blocks are never heard
 * of, and after an interruption many are heard of at once. Hence:
 * - the block time is the median slope over all pairs of recent observations, each weighed by the blocks it spans;
 * - blocks heard in one burst count as one observation, that of the newest, which is the least late;
 * - a future block is placed by the observations that were least late, so that a deadline errs on the early side;
 * - when the machine's clock is set, what was heard before is carried over to the new time. Set forwards and a pause of the
 *   chain look the same and are treated the same. Only when the next block is as late again has the chain become slow.
 */

import { lowest } from "../../../domain/extremes.ts";
import { type Instant, instant } from "../../../domain/instant.ts";
import type { BlockNumber } from "../port/block.ts";

/** Before enough was heard. The marketplace's side chain makes a block a second. */
const ASSUMED_BLOCK_MS = 1_000;
const REMEMBERED = 32;
/** Fewer say more about the delivery of blocks than about their making. */
const ENOUGH = 4;
/** Of the remembered, those that may place a future block: old ones would carry a pause of the chain along. */
const RECENT = 8;
/** Closer together than this, observations are one burst. */
const BURST_MS = 20;

/** Later than this, and than so many times what the blocks take, is no delivery that was late: the clock was set. */
const STEP_MS = 60_000;
const STEP_FACTOR = 10;

interface Observation {
  readonly block: number;
  readonly at: number;
}

export interface BlockClock {
  /** Tells that a block was heard of. Repeated and slightly older blocks change nothing. */
  observe(block: BlockNumber, at: Instant): void;
  /** Milliseconds a block takes. */
  blockTimeMs(): number;
  /** When this block was or will be made; for a block beyond the newest, never before that one was heard of. */
  instantOf(block: BlockNumber): Instant;
}

/** Starts from one block that was heard of. */
export function createBlockClock(
  head: BlockNumber,
  at: Instant,
  assumedBlockMs = ASSUMED_BLOCK_MS,
): BlockClock {
  let heard: Observation[] = [{ block: head, at }];
  let blockMs = assumedBlockMs;
  let stepped = false;
  const newest = () => heard.at(-1)!;

  return {
    observe(block, at) {
      // Far behind everything remembered: another chain has begun, as when a sandbox is started anew.
      if (block < heard[0]!.block) heard = [{ block, at }];
      if (block <= newest().block) return;
      const dueMs = (block - newest().block) * blockMs;
      const surplusMs = at - newest().at - dueMs;
      const back = at < newest().at;
      const forwards = surplusMs > STEP_MS && surplusMs > STEP_FACTOR * dueMs;
      if (back || (forwards && !stepped)) heard = heard.map((one) => ({ ...one, at: one.at + surplusMs }));
      stepped = forwards;
      if (heard.length > 1 && at - newest().at < BURST_MS) heard.pop();
      heard = [...heard, { block, at }].slice(-REMEMBERED);
      blockMs = heard.length < ENOUGH ? assumedBlockMs : medianSlope(heard);
    },
    blockTimeMs: () => blockMs,
    instantOf(block) {
      const starts = heard.slice(-RECENT).map(({ block, at }) => at - block * blockMs);
      const estimate = lowest(starts) + block * blockMs;
      return instant(Math.round(block > newest().block ? Math.max(estimate, newest().at) : estimate));
    },
  };
}

/** Theil-Sen with weights: half of all spanned blocks were at most this slow. At least 1 ms. */
function medianSlope(heard: readonly Observation[]): number {
  const slopes = heard.flatMap((late, index) =>
    heard.slice(0, index).map((early) => {
      const blocks = late.block - early.block;
      return { blocks, slope: (late.at - early.at) / blocks };
    }),
  );
  slopes.sort((a, b) => a.slope - b.slope);
  const half = slopes.reduce((sum, { blocks }) => sum + blocks, 0) / 2;
  let passed = 0;
  for (const { blocks, slope } of slopes) {
    passed += blocks;
    if (passed >= half) return Math.max(1, slope);
  }
  return ASSUMED_BLOCK_MS;
}
