import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utils } from "web3";
import { parseAddress } from "../../src/domain/address.ts";
import {
  everySet,
  fromBothEnds,
  outwards,
} from "../../src/market/onchain/recovery/verdict-search/candidates.ts";
import { openKeccakWord, prefixOf } from "../../src/market/onchain/recovery/verdict-search/keccak-word.ts";
import {
  maskedIndexes,
  type SearchEnd,
  type SearchPlan,
  searchVerdicts,
} from "../../src/market/onchain/recovery/verdict-search/verdict-search.ts";
import { commitment } from "../../src/market/onchain/settlement/record/commitment.ts";
import vectors from "../fixtures/protocol/commitments.json" with { type: "json" };

const ACCOUNT = parseAddress("0x63046FD3FBCe76196914C3021B30c09CEB2f4F03");
const ALL = (1n << 256n) - 1n;
const word = fc.bigInt({ min: 1n, max: ALL });
const indices = Array.from({ length: 256 }, (_, index) => index);
const maskOf = (bits: readonly number[]): bigint =>
  bits.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);

function search(
  {
    nonce,
    mask,
    verdicts,
    account = ACCOUNT,
  }: { nonce: bigint; mask: bigint; verdicts: bigint; account?: string },
  plan: SearchPlan = { tries: 2 ** 24 },
): SearchEnd {
  const sealed = { account, nonce, mask, commitment: commitment(account, verdicts, nonce) };
  const searching = searchVerdicts(sealed as Parameters<typeof searchVerdicts>[0], plan);
  for (;;) {
    const step = searching.next();
    if (step.done) return step.value;
  }
}

describe("the search for verdicts", () => {
  it("finds the bits of any commitment over a few artifacts, wherever they are in the mask", () => {
    const few = fc.uniqueArray(fc.nat(255), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(few, word, word, (bits, nonce, some) => {
        const mask = maskOf(bits);
        expect(search({ nonce, mask, verdicts: some & mask })).toMatchObject({
          kind: "found",
          verdicts: some & mask,
        });
      }),
      { numRuns: 50 },
    );
  });

  it.each(vectors.filter(({ account, verdicts }) => account.length === 42 && verdicts.length < 5))(
    "finds the verdicts of vector $vector of the contract",
    ({ account, verdicts, nonce, commitment }) => {
      const sealed = {
        account: parseAddress(account),
        nonce: BigInt(nonce),
        mask: 0b11111n,
        commitment: BigInt(commitment),
      };
      const searching = searchVerdicts(sealed, { tries: 0 });
      expect(searching.next().value).toMatchObject({ kind: "found", verdicts: BigInt(verdicts) });
    },
  );

  it("tries every combination of 20 artifacts before it says that the nonce is another", () => {
    const mask = (1n << 20n) - 1n;
    expect(search({ nonce: 7n, mask, verdicts: 1n << 20n })).toEqual({
      kind: "not-found",
      exhausted: true,
      tries: 2 ** 20,
    });
  });

  it("finds the verdicts on 256 artifacts when a guess is wrong about two or three of the doubtful ones", () => {
    const wrong = fc.uniqueArray(fc.nat(60), { minLength: 2, maxLength: 3 });
    fc.assert(
      fc.property(fc.shuffledSubarray(indices, { minLength: 256 }), wrong, word, (doubtful, at, verdicts) => {
        const guess = {
          verdicts: at.reduce((bits, i) => bits ^ (1n << BigInt(doubtful[i]!)), verdicts),
          doubtful,
        };
        expect(search({ nonce: 9n, mask: ALL, verdicts }, { guess, tries: 100_000 })).toMatchObject({
          kind: "found",
          verdicts,
        });
      }),
      { numRuns: 20 },
    );
  });

  it("finds three wrong guesses anywhere among 256 artifacts within its budget", () => {
    const verdicts = ALL ^ (1n << 3n) ^ (1n << 100n) ^ (1n << 255n);
    const guess = { verdicts: ALL, doubtful: indices };
    expect(search({ nonce: 5n, mask: ALL, verdicts }, { guess, tries: 2 ** 22 })).toMatchObject({
      kind: "found",
      verdicts,
    });
  });

  it.each([
    ["benign", 0n],
    ["malicious", ALL],
  ])("needs no guess where nearly all of 256 artifacts were called %s", (_, most) => {
    const verdicts = most ^ (1n << 17n) ^ (1n << 200n);
    expect(search({ nonce: 5n, mask: ALL, verdicts })).toMatchObject({ kind: "found", verdicts });
  });

  it("tries an artifact that the guess leaves out before those it speaks of", () => {
    const guess = { verdicts: 0n, doubtful: indices.filter((index) => index !== 77) };
    const end = search({ nonce: 5n, mask: ALL, verdicts: 1n << 77n }, { guess, tries: 10 });
    expect(end).toMatchObject({ kind: "found", tries: 2 });
  });

  it("gives up when its budget is spent, and says that something was left untried", () => {
    const plan = { guess: { verdicts: 0n, doubtful: indices }, tries: 1_000 };
    expect(search({ nonce: 5n, mask: ALL, verdicts: ALL }, plan)).toEqual({
      kind: "not-found",
      exhausted: false,
      tries: 1_000,
    });
  });

  it("pauses often enough for others to have their turn", () => {
    const sealed = { account: ACCOUNT, nonce: 3n, mask: (1n << 18n) - 1n, commitment: 1n };
    const pauses = [...searchVerdicts(sealed, { tries: 0 })];
    expect(pauses).toEqual([2 ** 16, 2 ** 17, 3 * 2 ** 16, 2 ** 18]);
  });
});

describe("the orders of candidates", () => {
  const walked = (order: typeof everySet, bits: readonly number[]): number[] => {
    let word = 0;
    const candidates: number[] = [];
    for (const _ of order({ flip: (index) => (word ^= 1 << index) }, bits)) candidates.push(word);
    return candidates;
  };

  it.each([
    ["everySet", everySet],
    ["outwards", outwards],
    ["fromBothEnds", fromBothEnds],
  ] as const)("%s comes by every set of its bits exactly once", (_, order) => {
    for (const bits of [[], [3], [1, 4], [0, 2, 5], [7, 1, 3, 2], [0, 1, 2, 3, 4, 5, 6]]) {
      const candidates = walked(order, bits);
      expect(candidates).toHaveLength(2 ** bits.length);
      expect(new Set(candidates).size).toBe(2 ** bits.length);
      expect(candidates.every((candidate) => (BigInt(candidate) & ~maskOf(bits)) === 0n)).toBe(true);
    }
  });

  it("outwards goes from near to far, and by the first bits first", () => {
    expect(walked(outwards, [2, 0, 1])).toEqual([0, 0b100, 0b001, 0b010, 0b101, 0b110, 0b011, 0b111]);
  });
});

describe("the hash of a word", () => {
  it("is Keccak-256 whatever the word", () => {
    const hash = openKeccakWord();
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: ALL }), fc.nat(255), (start, bit) => {
        const flipped = start ^ (1n << BigInt(bit));
        hash.set(start);
        hash.flip(bit);
        const real = BigInt(utils.keccak256(Buffer.from(flipped.toString(16).padStart(64, "0"), "hex")));
        expect([hash.word(), hash.hash(), hash.prefix()]).toEqual([flipped, real, prefixOf(real)]);
      }),
    );
  });

  it("knows which bits are set", () => {
    expect(maskedIndexes(0b1011n)).toEqual([0, 1, 3]);
    expect(maskedIndexes(0n)).toEqual([]);
  });
});
