import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commitment } from "../../src/market/onchain/settlement/record/commitment.ts";
import vectors from "../fixtures/protocol/commitments.json" with { type: "json" };

describe("a commitment", () => {
  it.each(vectors)("reproduces vector $vector of the contract", (vector) => {
    const made = commitment(vector.account, BigInt(vector.verdicts), BigInt(vector.nonce));
    expect(made.toString()).toBe(vector.commitment);
  });

  it("changes with any single verdict bit", () => {
    const account = vectors[0]!.account;
    const word = fc.bigInt({ min: 1n, max: 2n ** 256n - 1n });
    fc.assert(
      fc.property(word, word, fc.nat(255), (verdicts, nonce, bit) => {
        expect(commitment(account, verdicts ^ (1n << BigInt(bit)), nonce)).not.toBe(
          commitment(account, verdicts, nonce),
        );
      }),
    );
  });

  it("refuses the nonce 0 and verdicts beyond 256 bits", () => {
    expect(() => commitment(vectors[0]!.account, 1n, 0n)).toThrow(RangeError);
    expect(() => commitment(vectors[0]!.account, 1n << 256n, 1n)).toThrow(RangeError);
  });
});
