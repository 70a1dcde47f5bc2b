import { describe, expect, it } from "vitest";
import { parseAddress } from "../../src/domain/address.ts";
import { uintToGuid } from "../../src/domain/guid.ts";
import { nct } from "../../src/domain/nct.ts";
import type { PostedAssertion } from "../../src/market/onchain/port/marketplace.ts";
import { payoutOwed } from "../../src/market/onchain/settlement/steps/payout.ts";

const ARTIFACTS = 256;
const ALL = (1n << 256n) - 1n;
const authorOf = (index: number) => parseAddress(`0x${(index + 1).toString(16).padStart(40, "0")}`);
const row = (index: number, more: Partial<PostedAssertion> = {}): PostedAssertion => ({
  guid: uintToGuid(7n),
  index,
  author: authorOf(index),
  commitment: 1n,
  revealed: true,
  bids: Array.from({ length: ARTIFACTS }, () => nct(5n)),
  mask: ALL,
  verdicts: index % 2 === 0 ? ALL : 0n,
  ...more,
});
const terms = { amount: nct(2_560n), artifactCount: ARTIFACTS, assertionFee: nct(1n) };
const votes = [{ voter: authorOf(9_999), votes: ALL }];

describe("the payout that assertions and votes come to", () => {
  it("reads each of thousands of assertions a few times, not once for every artifact", () => {
    let reads = 0;
    const rows = Array.from({ length: 2_048 }, (_, index) =>
      Object.defineProperty(row(index), "mask", {
        get: () => {
          reads++;
          return ALL;
        },
      }),
    );
    // Per artifact: the bid, as much again of those who were wrong, and 5/5,120 of the 10 that are ours to share.
    expect(payoutOwed(terms, rows, votes, authorOf(0))).toBe(256n * (5n + 5n + (5n * 10n) / 5_120n));
    expect(reads).toBeLessThan(10 * rows.length);
  });

  it("shares the bids of those who were wrong or revealed nothing among those who were right, artifact by artifact", () => {
    const rows = [
      row(0, { mask: 0b101n, bids: [nct(30n), nct(7n)], verdicts: 0b001n }),
      row(1, { mask: 0b011n, bids: [nct(10n), nct(20n)], verdicts: 0b001n }),
      row(2, { mask: 0b001n, bids: [nct(80n)], revealed: false, verdicts: 1n }),
    ];
    const three = { ...terms, artifactCount: 3, amount: nct(300n) };
    const said = [{ voter: authorOf(9_999), votes: 0b001n }];
    // Artifact 0: 30 of 40 were ours, 80 were wrong; artifact 2: ours alone.
    expect(payoutOwed(three, rows, said, authorOf(0))).toBe(30n + 60n + 75n + (7n + 100n));
    // Artifact 0: 10 of 40; artifact 1: 20, alone.
    expect(payoutOwed(three, rows, said, authorOf(1))).toBe(10n + 20n + 25n + (20n + 100n));
    expect(payoutOwed(three, rows, said, authorOf(2))).toBe(0n);
  });
});
