import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BidStrategy } from "../../src/bid/contract.ts";
import { planBids } from "../../src/bid/plan.ts";
import { countBits, hasBit } from "../../src/domain/bits.ts";
import { nct, ONE_NCT, parseNct } from "../../src/domain/nct.ts";
import { type Ppm, ppm } from "../../src/domain/verdict.ts";
import { bidArtifact, bidRequest } from "./bid-request.ts";

const answering = (answer: unknown): BidStrategy => ({ name: "mine", bid: () => answer as bigint[] });
const half = ONE_NCT / 2n;

describe("a bid plan", () => {
  it("sets mask, bids and verdict bits by artifact index, lowest first", () => {
    const artifacts = [
      bidArtifact({ index: 7, verdict: "malicious" }),
      bidArtifact({ index: 0, verdict: "benign" }),
      bidArtifact({ index: 3, verdict: "malicious" }),
    ];
    const plan = planBids(bidRequest({ artifacts }), answering([half, half + 1n, half + 2n]));
    expect(plan).toEqual({
      kind: "assert",
      mask: 0b1000_1001n,
      bids: [half + 1n, half + 2n, half],
      verdicts: 0b1000_1000n,
      stake: 3n * half + 3n,
      dropped: [],
    });
  });

  it("drops a bid below the minimum and keeps the others", () => {
    const artifacts = [0, 1].map((index) => bidArtifact({ index }));
    const plan = planBids(bidRequest({ artifacts }), answering([parseNct("0.0625") - 1n, half]));
    expect(plan).toMatchObject({ mask: 0b10n, bids: [half], dropped: [{ index: 0, why: "below-minimum" }] });
  });

  it("cuts a bid above the maximum down to it", () => {
    const plan = planBids(bidRequest(), answering([5n * ONE_NCT]));
    expect(plan).toMatchObject({ kind: "assert", bids: [ONE_NCT], stake: ONE_NCT });
  });

  it("keeps silent about what the strategy bids null for, or no bigint", () => {
    const artifacts = [0, 1, 2, 3].map((index) => bidArtifact({ index }));
    const plan = planBids(bidRequest({ artifacts }), answering([null, 0.5, undefined, half]));
    expect(plan).toMatchObject({
      mask: 0b1000n,
      dropped: [
        { index: 0, why: "strategy-silent" },
        { index: 1, why: "not-a-bid" },
        { index: 2, why: "not-a-bid" },
      ],
    });
  });

  it("never sets a bit beyond the artifacts that the contract counts", () => {
    const artifacts = [0, 2, 2, 300, -1].map((index) => bidArtifact({ index }));
    const plan = planBids(bidRequest({ artifacts, artifactCount: 2 }), answering(artifacts.map(() => half)));
    expect(plan).toMatchObject({ mask: 1n, bids: [half] });
    expect(plan.dropped.map(({ why }) => why)).toEqual(Array(4).fill("no-such-artifact"));
  });

  it("takes an index that comes twice only once", () => {
    const artifacts = [1, 1].map((index) => bidArtifact({ index }));
    const plan = planBids(bidRequest({ artifacts }), answering([half, half]));
    expect(plan).toMatchObject({ mask: 0b10n, bids: [half], stake: half });
  });

  it("drops the least confident artifacts until the fee and all bids can be paid", () => {
    const artifacts = [0.4, 0.9, 0.6].map((sure, index) => bidArtifact({ index, confidence: ppm(sure) }));
    const balance = nct(ONE_NCT + parseNct("0.03125"));
    const request = bidRequest({ artifacts, balance });
    expect(planBids(request, answering([half, half, half]))).toMatchObject({
      mask: 0b110n,
      dropped: [{ index: 0, why: "balance" }],
    });
    const oneShort = { ...request, balance: nct(balance - 1n) };
    expect(planBids(oneShort, answering([half, half, half]))).toMatchObject({ mask: 0b010n });
  });

  it.each([
    ["nothing to stake on", bidRequest({ artifacts: [] }), [], "nothing-to-say"],
    ["an empty purse", bidRequest({ balance: nct(0n) }), [half], "balance"],
    ["too few bids", bidRequest(), [], "wrong-number-of-bids"],
    ["too many bids", bidRequest(), [half, half], "wrong-number-of-bids"],
    ["a promise instead of bids", bidRequest(), Promise.resolve([half]), "strategy-failed"],
    ["silence about everything", bidRequest(), [null], "no-bid-left"],
    ["a negative bid", bidRequest({ bidMinimum: nct(-5n) }), [-1n], "no-bid-left"],
  ] as const)("abstains with a reason for %s", (_what, request, answer, why) => {
    expect(planBids(request, answering(answer))).toMatchObject({ kind: "abstain", why });
  });

  it("a strategy that throws costs one bounty, not the process", () => {
    const throwing: BidStrategy = {
      name: "mine",
      bid() {
        throw new TypeError("no such\n market");
      },
    };
    const plan = planBids(bidRequest(), throwing);
    expect(plan).toMatchObject({ kind: "abstain", why: "strategy-failed" });
    expect(plan).toHaveProperty("detail", "Strategy mine failed: no such market");
  });

  it("whatever a strategy answers, an assertion is within the limits, the bounty and the purse", () => {
    const bid = fc.oneof(
      fc.bigInt({ min: -1n, max: 3n * ONE_NCT }),
      fc.constant(null),
      fc.double(),
      fc.string(),
    );
    const entry = fc.record({
      index: fc.integer({ min: -2, max: 260 }),
      sure: fc.integer({ min: 0, max: 1_000_000 }),
      bid,
    });
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 30 }),
        fc.integer({ min: 1, max: 256 }),
        fc.bigInt({ min: 0n, max: 20n * ONE_NCT }),
        (entries, artifactCount, balance) => {
          const artifacts = entries.map(({ index, sure }) => bidArtifact({ index, confidence: sure as Ppm }));
          const request = bidRequest({ artifacts, artifactCount, balance: nct(balance) });
          const plan = planBids(request, answering(entries.map((one) => one.bid)));
          if (plan.kind === "abstain") return;
          expect(plan.bids).toHaveLength(countBits(plan.mask));
          expect(plan.mask < 1n << BigInt(artifactCount)).toBe(true);
          expect(plan.verdicts & ~plan.mask).toBe(0n);
          expect(plan.stake).toBe(plan.bids.reduce((sum, amount) => sum + amount, 0n));
          expect(plan.stake + request.assertionFee <= balance).toBe(true);
          for (const amount of plan.bids)
            expect(amount >= request.bidMinimum && amount <= request.bidMaximum).toBe(true);
          for (const { index } of plan.dropped)
            if (
              index >= 0 &&
              index < artifactCount &&
              artifacts.filter((one) => one.index === index).length === 1
            )
              expect(hasBit(plan.mask, index)).toBe(false);
        },
      ),
    );
  });
});
