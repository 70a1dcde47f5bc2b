import fc from "fast-check";
import { expect, it } from "vitest";
import { guidToUint, isGuid, parseGuid, uintToGuid } from "../../src/domain/guid.ts";

it("any 128 bits survive being written as a GUID and read back", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (raw) => {
      const guid = uintToGuid(raw);
      expect(isGuid(guid)).toBe(true);
      expect(guidToUint(guid)).toBe(raw);
    }),
  );
});

it("takes GUIDs that are no version 4 UUID, in either case", () => {
  expect(parseGuid("00000000-0000-0000-0000-0000000000FF")).toBe("00000000-0000-0000-0000-0000000000ff");
});

it("refuses what is not shaped like a UUID", () => {
  for (const text of [
    "",
    "ff",
    "00000000-0000-0000-0000-0000000000fg",
    "{00000000-0000-0000-0000-0000000000ff}",
  ])
    expect(() => parseGuid(text)).toThrow(RangeError);
});

it("refuses numbers beyond 128 bits", () => {
  expect(() => uintToGuid(2n ** 128n)).toThrow(RangeError);
  expect(() => uintToGuid(-1n)).toThrow(RangeError);
});
