import fc from "fast-check";
import { expect, it } from "vitest";
import { countBits, hasBit, packBits, unpackBits } from "../../src/domain/bits.ts";

const flags = fc.array(fc.boolean(), { maxLength: 256 });

it("up to 256 flags survive being packed and unpacked", () => {
  fc.assert(
    fc.property(flags, (given) => {
      expect(unpackBits(packBits(given), given.length)).toEqual(given);
    }),
  );
});

it("puts artifact 0 into the least significant bit, as the contract reads it", () => {
  expect(packBits([true, false, false, true])).toBe(0b1001n);
  expect(hasBit(0b1000n, 3)).toBe(true);
  expect(packBits([...Array<boolean>(255).fill(false), true])).toBe(1n << 255n);
});

it("counts as many bits as flags were set", () => {
  fc.assert(
    fc.property(flags, (given) => {
      expect(countBits(packBits(given))).toBe(given.filter(Boolean).length);
    }),
  );
});

it("refuses a 257th artifact", () => {
  expect(() => packBits(Array<boolean>(257).fill(false))).toThrow(RangeError);
});
