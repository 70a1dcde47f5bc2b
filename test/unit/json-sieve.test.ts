import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonSieve, type ValueBounds } from "../../src/market/onchain/http/sieve.ts";

const NOTHING: ValueBounds = { bytes: 0, values: 0, depth: 0 };

interface Sifted {
  readonly text: string;
  readonly leftOut: readonly string[];
  readonly fits: boolean;
}

/** Pushes the text in pieces of these sizes, by turns. */
function sift(
  text: string,
  metadata: ValueBounds,
  sizes: readonly number[] = [65_536],
  keptBytes = 1e9,
): Sifted {
  const sieve = new JsonSieve({ allowances: { metadata }, keptBytes });
  const bytes = Buffer.from(text);
  let fits = true;
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    fits &&= sieve.push(bytes.subarray(at, at + size));
    at += size;
  }
  return { text: sieve.end().toString(), leftOut: [...sieve.leftOut], fits };
}

/** The same by parsing: values under `metadata` that lie in no other such value become what is made of them. */
function without(value: unknown, of: (metadata: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, of));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    key === "metadata" ? of(item) : without(item, of),
  ]);
  return Object.fromEntries(entries);
}

const documents = fc.object({
  key: fc.oneof(fc.constant("metadata"), fc.constantFrom("a", "metadat", "metadata ", 'm"', "\\", "é{[,:")),
  values: [
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: "binary" }),
    fc.constant('"metadata":['),
  ],
  maxDepth: 5,
});
const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe("a sieve over JSON", () => {
  it("leaves out what lies under a key, and nothing else, in whatever pieces the text comes", () => {
    fc.assert(
      fc.property(documents, pieces, fc.constantFrom(undefined, 1), (document, sizes, space) => {
        const { text, fits } = sift(JSON.stringify(document, undefined, space), NOTHING, sizes);
        expect(fits).toBe(true);
        expect(JSON.parse(text)).toStrictEqual(without(document, () => null));
      }),
    );
  });

  it("keeps what has room under the key, byte for byte", () => {
    fc.assert(
      fc.property(documents, pieces, (document, sizes) => {
        const text = JSON.stringify(document);
        expect(sift(text, { bytes: 1e6, values: 1e6, depth: 99 }, sizes)).toEqual({
          text,
          leftOut: [],
          fits: true,
        });
      }),
    );
  });

  it.each([
    ["bytes", '"0123456789"', { bytes: 11, values: 9, depth: 9 }],
    ["values", "[1,2,3]", { bytes: 99, values: 3, depth: 9 }],
    ["depth", "[[[]]]", { bytes: 99, values: 9, depth: 2 }],
  ])(
    "takes back what it had kept of a value of too many %s, and goes on behind it",
    (_what, value, allowance) => {
      const text = `{"status":"OK","result":{"metadata":${value},"nonce":7}}`;
      const sifted = sift(text, allowance, [3]);
      expect(JSON.parse(sifted.text)).toEqual({ status: "OK", result: { metadata: null, nonce: 7 } });
      expect(sifted.leftOut).toEqual(["metadata"]);
    },
  );

  it("holds no more of 20 MB under the key than may be there, and finds the row behind them", () => {
    const sieve = new JsonSieve({ allowances: { metadata: NOTHING }, keptBytes: 100 });
    expect(sieve.push(Buffer.from('{"result":[{"metadata":['))).toBe(true);
    const numbers = Buffer.from("1,".repeat(32_768));
    for (let piece = 0; piece < 320; piece++) expect(sieve.push(numbers)).toBe(true);
    expect(sieve.push(Buffer.from('1],"nonce":7}]}'))).toBe(true);
    expect(JSON.parse(sieve.end().toString())).toEqual({ result: [{ metadata: null, nonce: 7 }] });
  });

  it("refuses more than may be kept together", () => {
    expect(sift(`{"a":"${"x".repeat(200)}"}`, NOTHING, [50], 100).fits).toBe(false);
  });
});
