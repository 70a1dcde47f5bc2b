import fc from "fast-check";
import { expect, it } from "vitest";
import { formatNct, nct, ONE_NCT, parseNct } from "../../src/domain/nct.ts";

it("any NCT amount survives being written and read back", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (raw) => {
      expect(parseNct(formatNct(nct(raw)))).toBe(raw);
    }),
  );
});

it("reads the amounts people write", () => {
  expect(parseNct("1")).toBe(ONE_NCT);
  expect(parseNct("0.0625")).toBe(62_500_000_000_000_000n);
  expect(parseNct(" 900000000.000000000000000001 ")).toBe(900_000_000n * ONE_NCT + 1n);
});

it.each(["", "1.", ".5", "-1", "1e18", "0x10", "1,5", "0.0000000000000000001", "NaN"])(
  "refuses %j instead of guessing an amount",
  (text) => {
    expect(() => parseNct(text)).toThrow(RangeError);
  },
);

it("writes a loss with its sign, however small", () => {
  expect(formatNct(-1n)).toBe("-0.000000000000000001");
  expect(formatNct(-(3n * ONE_NCT) / 2n)).toBe("-1.5");
  expect(formatNct(0n)).toBe("0");
});
