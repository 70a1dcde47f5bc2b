import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUILT_IN_STRATEGIES } from "../../src/bid/strategies.ts";
import { nct } from "../../src/domain/nct.ts";
import { type Ppm, ppm } from "../../src/domain/verdict.ts";
import { bidArtifact, bidRequest } from "./bid-request.ts";

const strategy = (name: string) => BUILT_IN_STRATEGIES.find((candidate) => candidate.name === name)!;

// Computed by today's engines for the default limits of 0.0625 and 1 NCT, whose confidence is 0 at even odds.
const REFERENCE = [
  ["default", 0, 62_500_000_000_000_000n],
  ["default", 0.25, 296_875_000_000_000_000n],
  ["default", 0.5, 531_250_000_000_000_000n],
  ["default", 0.8, 812_500_000_000_000_000n],
  ["default", 1, 1_000_000_000_000_000_000n],
  ["aggressive", 0, 500_000_000_000_000_000n],
  ["aggressive", 0.25, 625_000_000_000_000_000n],
  ["aggressive", 0.5, 750_000_000_000_000_000n],
  ["aggressive", 0.8, 900_000_000_000_000_000n],
  ["aggressive", 1, 1_000_000_000_000_000_000n],
  ["conservative", 0, 62_500_000_000_000_000n],
  ["conservative", 0.5, 62_500_000_000_000_000n],
  ["conservative", 1, 62_500_000_000_000_000n],
] as const;

it.each(REFERENCE)(
  "%s stakes at the edge %d over even odds exactly what today's engines stake",
  (name, edge, stake) => {
    const request = bidRequest({ artifacts: [bidArtifact({ confidence: ppm((1 + edge) / 2) })] });
    expect(strategy(name).bid(request)).toEqual([stake]);
  },
);

const amount = fc.bigInt({ min: 0n, max: 2n ** 128n });
const limits = fc
  .tuple(amount, amount)
  .map(([least, more]) => ({ bidMinimum: nct(least), bidMaximum: nct(least + more) }));
const confidence = fc.integer({ min: 0, max: 1_000_000 }).map((value) => value as Ppm);

describe.each(BUILT_IN_STRATEGIES)("$name", ({ bid }) => {
  it("never leaves the contract's limits, whatever they are", () => {
    fc.assert(
      fc.property(limits, fc.array(confidence, { maxLength: 20 }), (market, confidences) => {
        const artifacts = confidences.map((sure, index) => bidArtifact({ index, confidence: sure }));
        for (const stake of bid(bidRequest({ ...market, artifacts }))) {
          expect(stake).toBeGreaterThanOrEqual(market.bidMinimum);
          expect(stake).toBeLessThanOrEqual(market.bidMaximum);
        }
      }),
    );
  });

  it("never stakes less when it is surer", () => {
    fc.assert(
      fc.property(limits, confidence, confidence, (market, one, other) => {
        const sure = [one, other].toSorted((a, b) => a - b);
        const artifacts = sure.map((value, index) => bidArtifact({ index, confidence: value }));
        const [less, more] = bid(bidRequest({ ...market, artifacts }));
        expect(more! >= less!).toBe(true);
      }),
    );
  });
});
