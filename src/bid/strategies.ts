/**
 * The built-in strategies. Each draws a line from a least to a most stake and takes the point at the confidence:
 *
 *     stake = least + (most - least) x confidence, rounded down to a base unit
 *
 * The formulas are the ones that today's engines use; here they are exact, and never leave the contract's limits.
 */
import { PPM_ONE } from "../domain/verdict.ts";
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
      ({ confidence }) => least + ((most - least) * BigInt(confidence)) / BigInt(PPM_ONE),
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
