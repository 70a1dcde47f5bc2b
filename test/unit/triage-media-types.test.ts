import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refusalOf } from "../../src/domain/accepts.ts";
import { canonicalType, matchesType } from "../../src/domain/media-type.ts";

describe("matching MIME types", () => {
  it.each([
    ["text/plain", "text/plain"],
    ["Text/Plain", "text/plain; charset=utf-8"],
    ["text/*", "text/html"],
    ["*", "anything/at-all"],
    ["*/*", "anything/at-all"],
    ["application/x-dosexec", "application/vnd.microsoft.portable-executable"],
    ["application/x-elf", "application/x-sharedlib"],
    ["text/javascript", "application/javascript"],
  ])("%s matches %s", (pattern, type) => {
    expect(matchesType(pattern, type)).toBe(true);
  });

  it.each([
    ["text/plain", "text/html"],
    ["text/*", "application/text"],
    ["tex/*", "text/html"],
    ["application/zip", "application/x-elf"],
    ["constructor", "application/zip"],
  ])("%s does not match %s", (pattern, type) => {
    expect(matchesType(pattern, type)).toBe(false);
  });

  it("has one name for each type, whatever it is given", () => {
    const once = fc.string().map(canonicalType);
    fc.assert(
      fc.property(once, (type) => {
        expect(canonicalType(type)).toBe(type);
      }),
    );
  });
});

describe("what a backend accepts", () => {
  it("is files of every type and size unless it says otherwise", () => {
    expect(refusalOf({}, { kind: "file", types: ["a/b"], sizeBytes: 2 ** 40 })).toBeUndefined();
    expect(refusalOf({}, { kind: "url" })).toBe("wrong-kind");
  });

  it("refuses nothing for what is not known yet", () => {
    expect(refusalOf({ types: ["text/plain"], maxSizeBytes: 1 }, { kind: "file" })).toBeUndefined();
  });

  it("includes an artifact of exactly the largest size", () => {
    expect(refusalOf({ maxSizeBytes: 5 }, { kind: "file", sizeBytes: 5 })).toBeUndefined();
    expect(refusalOf({ maxSizeBytes: 5 }, { kind: "file", sizeBytes: 6 })).toBe("too-large");
  });
});
