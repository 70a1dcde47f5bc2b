import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson, stringifyJson } from "../../src/json/json.ts";

/**
 * Node's reviver, with the source text of each number: slow, and not always exact, for V8 mistakes the source where a
 * key comes twice or is a number.
 */
function reviveJson(text: string): unknown {
  const reviver = (_key: string, value: unknown, context: { source?: string }): unknown => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = context.source ?? "";
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, reviver as (this: unknown, key: string, value: unknown) => unknown);
}

it("integers of any size survive being written and read back", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 256n), max: 2n ** 256n }), (amount) => {
      const [read] = parseJson(stringifyJson([amount])) as [number | bigint];
      expect(BigInt(read)).toBe(amount);
    }),
  );
});

it("a payout above 2^53 keeps its last digits", () => {
  expect(parseJson('{"payout":5424999999999999997}')).toEqual({ payout: 5424999999999999997n });
});

it("leaves small integers, fractions and big numbers inside strings as JSON.parse has them", () => {
  const text = '{"a":1,"b":0.5,"c":"5424999999999999997","d":[null,true],"e":1e30}';
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

it("writes amounts as bare integers, not as strings", () => {
  expect(stringifyJson({ bid: 62_500_000_000_000_000n })).toBe('{"bid":62500000000000000}');
});

it("keeps the last of the values under a key that comes twice, digit for digit", () => {
  expect(parseJson('{"a":9007199254740993,"b":1,"\\u0061":9007199254740995}')).toEqual({
    a: 9007199254740995n,
    b: 1,
  });
});

it("refuses what is not JSON", () => {
  expect(() => parseJson("{bid: 1}")).toThrow(SyntaxError);
});

/** A JSON text and what it says, made beside each other. */
interface Document {
  readonly text: string;
  readonly value: unknown;
}

/** Integers around 2^53 and far beyond, exactly; fractions and exponents of many digits as doubles. */
const number: fc.Arbitrary<Document> = fc.oneof(
  fc
    .oneof(
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }),
      fc.bigInt({ min: -(2n ** 53n) - 3n, max: -(2n ** 53n) + 3n }),
      fc.bigInt({ min: -3n, max: 3n }),
    )
    .map((value) => ({
      text: `${value}`,
      value: Number.isSafeInteger(Number(value)) ? Number(value) : value,
    })),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 2n ** 70n }), fc.constantFrom(".", "e", "E-", "e+"), fc.nat({ max: 30 }))
    .map((parts) => parts.join(""))
    .map((text) => ({ text, value: Number(text) })),
  fc.constant({ text: "-0", value: -0 }),
);
const string: fc.Arbitrary<Document & { readonly value: string }> = fc
  .oneof(
    fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)),
    fc.constantFrom('"\\""', '"\\\\"', '"\\\\\\""', '"__proto__"', '"12345678901234567890"', '"\\u0031,]"'),
  )
  .map((text) => ({ text, value: JSON.parse(text) as string }));
/** V8 takes a key of `\"` for one of `\\` where it has met that one before, so none here has either. */
const key = string.filter(({ value }) => !/["\\]/.test(value));
const word = fc.constantFrom(true, false, null).map((value) => ({ text: `${value}`, value }));
const space = fc.constantFrom("", "", " ", "\n\t", "\r ");

const { document } = fc.letrec<{ document: Document }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(number, string, word),
    fc.tuple(space, fc.array(tie("document"), { maxLength: 4 })).map(([gap, items]) => ({
      text: `[${gap}${items.map(({ text }) => text).join(`${gap},${gap}`)}${gap}]`,
      value: items.map(({ value }) => value),
    })),
    fc.tuple(space, fc.array(fc.tuple(key, tie("document")), { maxLength: 4 })).map(([gap, entries]) => ({
      text: `{${gap}${entries.map((pair) => pair.map(({ text }) => text).join(`${gap}:${gap}`)).join(`${gap},`)}}`,
      // The last of the values under a key that comes twice, and `__proto__` as a key like any other.
      value: Object.fromEntries(entries.map(([name, { value }]) => [name.value, value])),
    })),
  ),
}));

describe("what the reader gives", () => {
  it("is what the document says, value for value and key for key, whatever it says", () => {
    fc.assert(
      fc.property(document, ({ text, value }) => {
        const read = parseJson(text);
        expect(read).toStrictEqual(value);
        // Own keys in the same order too, `__proto__` among them, which equality passes over.
        expect(stringifyJson(read)).toBe(stringifyJson(value));
      }),
      { numRuns: 1_000 },
    );
  });

  it("is what a reviver gives, wherever keys are plain names", () => {
    const plain = fc.object({
      key: fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 3 }),
      values: [fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), fc.double({ noNaN: true }), fc.string()],
    });
    fc.assert(
      fc.property(plain, (value) => {
        const text = stringifyJson(value);
        expect(parseJson(text)).toStrictEqual(reviveJson(text));
      }),
    );
  });

  it("is a SyntaxError for exactly the texts that JSON.parse does not take", () => {
    const damaged = fc
      .tuple(document, fc.nat(), fc.constantFrom("", '"', "\\", "[", "}", ",", "1", "e", "-"))
      .map(([{ text }, at, put]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + put + text.slice(place + 1);
      });
    const error = (read: (text: string) => unknown, text: string): string | undefined => {
      try {
        read(text);
        return undefined;
      } catch (thrown) {
        return (thrown as Error).name;
      }
    };
    fc.assert(
      fc.property(damaged, (text) => {
        expect(error(parseJson, text)).toBe(error(JSON.parse, text));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("what a text may hold", () => {
  it("is refused beyond its depth, however deep it goes, before anything is built", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(parseJson(nested(3), { depth: 3, values: 10 })).toEqual([[[]]]);
    expect(() => parseJson(nested(4), { depth: 3, values: 10 })).toThrow(SyntaxError);
    expect(() => parseJson("[".repeat(5_000_000))).toThrow("nested deeper than");
  });

  it("is refused beyond its values, and commas and brackets inside strings are none", () => {
    expect(parseJson("[1,2,3]", { depth: 3, values: 4 })).toEqual([1, 2, 3]);
    expect(parseJson('["[{,,,,,","\\",,,"]', { depth: 3, values: 4 })).toEqual(["[{,,,,,", '",,,']);
    expect(() => parseJson("[1,2,3,4]", { depth: 3, values: 4 })).toThrow("more than 4 values");
    expect(() => parseJson(`[${"1,".repeat(3_000_000)}1]`)).toThrow("more than 2000000 values");
  });

  it("costs a small part of what a reviver takes: 300 kB of small numbers with one integer beyond 2^53", () => {
    const text = `[${"1,".repeat(150_000)}12345678901234567890]`;
    const cpuMs = (work: () => unknown): number => {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    };
    cpuMs(() => parseJson(text));
    expect(cpuMs(() => parseJson(text))).toBeLessThan(cpuMs(() => reviveJson(text)) / 2);
  });
});
