import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_CLAIM } from "../../src/domain/artifact.ts";
import { padClaims, readClaims } from "../../src/market/onchain/reads/claims.ts";

const sha256 = "9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

describe("bounty metadata", () => {
  it("becomes claims with what is usable of it, and keeps the rest as it came", () => {
    const raw = {
      filename: "invoice.js",
      filesize: "4211",
      mimetype: "application/javascript",
      sha256,
      extended_type: "x",
    };
    expect(readClaims([raw])).toEqual([
      {
        filename: "invoice.js",
        sizeBytes: 4211,
        mimetype: "application/javascript",
        sha256: sha256.toLowerCase(),
        raw,
      },
    ]);
  });

  it.each([
    [{ filesize: 7 }, 7],
    [{ filesize: "0" }, undefined],
    [{ filesize: -1 }, undefined],
    [{ filesize: "7.5" }, undefined],

    [{ filesize: null }, undefined],
  ])("%j claims a size of %j", (item, size) => expect(readClaims([item])[0]?.sizeBytes).toBe(size));

  it("that is not a list of objects claims nothing", () => {
    expect(readClaims("QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6")).toEqual([]);
    expect(readClaims(null)).toEqual([]);
    expect(readClaims([1, "x", null, [], {}])).toEqual([NO_CLAIM, NO_CLAIM, NO_CLAIM, NO_CLAIM, { raw: {} }]);
  });

  it("has one claim for each artifact after padding, at most 256 before", () => {
    const anything = fc.array(fc.anything(), { maxLength: 300 });
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 256 }), (metadata, count) => {
        expect(readClaims(metadata).length).toBeLessThanOrEqual(256);
        expect(padClaims(readClaims(metadata), count)).toHaveLength(count);
      }),
    );
  });
});
