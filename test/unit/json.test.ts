import fc from "fast-check";
import { expect, it } from "vitest";
import { parseJson, stringifyJson } from "../../src/domain/json.ts";

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

it("refuses what is not JSON", () => {
  expect(() => parseJson("{bid: 1}")).toThrow(SyntaxError);
});
