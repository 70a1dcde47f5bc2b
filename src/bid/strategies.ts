/**
 * The built-in strategies. Each draws a line from a least stake at even odds to a most stake at certainty:
 *
 *     stake = least + (most - least) x (2 x confidence - 1), rounded down to a base unit
 *
 * The lines are those of today's engines, whose confidence is 0 where a verdict is right half of the time; here they are
 * exact, and never leave the contract's limits.
 */
import { edgeOf, PPM_ONE } from "../domain/verdict.ts";
import type { BidRequest, BidStrategy } from "./contract.ts";

interface Line {
  readonly least: bigint;
  readonly most: bigint;
}

const alongLine = (name: string, lineOf: (request: BidRequest) => Line): BidStrategy => ({
  name,
  bid(request) {
    const { least, most } = lineOf(request);
    return request.artifacts.map(
      ({ confidence }) => least + ((most - least) * BigInt(edgeOf(confidence))) / BigInt(PPM_ONE),
    );
  },
});

/** From the contract's minimum at even odds to its maximum at certainty. */
const standard = alongLine("default", ({ bidMinimum, bidMaximum }) => ({
  least: bidMinimum,
  most: bidMaximum,
}));

/** The contract's minimum, however sure we are. */
const conservative = alongLine("conservative", ({ bidMinimum }) => ({ least: bidMinimum, most: bidMinimum }));

/** Begins at eight times the minimum. */
const aggressive = alongLine("aggressive", ({ bidMinimum, bidMaximum }) => ({
  least: bidMinimum * 8n < bidMaximum ? bidMinimum * 8n : bidMaximum,
  most: bidMaximum,
}));

export const BUILT_IN_STRATEGIES: readonly BidStrategy[] = [standard, conservative, aggressive];
