import { describe, expect, it } from "vitest";

import { bloomBits, bloomOf } from "../../src/sandbox/content/bloom.ts";

/** The vectors of the protocol. */
describe("the filter over a bounty's artifacts", () => {
  it("sets the bits of the published library test", () => {
    expect(bloomBits("value 1")).toEqual([1407, 1672, 885, 79, 872, 1990, 2039, 1929]);
    expect(bloomBits("value 2")).toEqual([1784, 857, 265, 1713, 1997, 1649, 317, 24]);
  });

  it("goes on chain as eight words, the most significant first", () => {
    const cids = [
      "QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6",
      "QmTzQ1JRkWErjk39mryYw2WVaphAZNAREyMchXzYywCdvD",
    ] as const;
    expect(bloomBits(cids[0])).toEqual([1634, 1338, 1225, 708, 1989, 1483, 1366, 474]);
    expect(bloomBits(cids[1])).toEqual([1194, 1738, 693, 1894, 1979, 152, 1106, 821]);
    expect(bloomOf(cids)).toEqual([
      0x20080000000000000000000040000000000000000000000000n,
      0x400000000000000000000000004000000000000000000000000n,
      0x800000000000000000000000000004000000400000000000000n,
      0x200000004000000000000000000000400000000000000000000n,
      0x20000000000000n,
      0x10002000000000000000000000000000000000000000000000n,
      0x4000000000000000000000000000000000000000000000000000000n,
      0x100000000000000000000000000000000000000n,
    ]);
  });
});
