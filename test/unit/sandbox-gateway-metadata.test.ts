import { describe, expect, it } from "vitest";
import { AssertionMetadata, BountyMetadata } from "../../src/sandbox/gateway/shared/metadata-schema.ts";

const fits = (schema: typeof AssertionMetadata | typeof BountyMetadata, item: unknown) =>
  schema.safeParse([item]).success;

describe("assertion metadata", () => {
  it("takes what the protocol's example and its table of rules take", () => {
    const family = { malware_family: "Trojan.Sample.A" };
    for (const item of [
      { malware_family: "" },
      { ...family, heuristic: true, confidence_note: "two engines agree" },
      { ...family, heuristic: 1 },
      { ...family, heuristic: "false" },
      { ...family, domains: ["evil.example", "a..io"], ip_addresses: ["203.0.113.9", "2001:db8::7", 17] },
      { ...family, domains: null, ip_addresses: null, stix: null, scanner: null, heuristic: null },
      { ...family, stix: [{ schema: "indicator-2.0", signature: { pattern: "[file]" } }] },
      {
        ...family,
        scanner: { version: "1", polyswarmclient_version: "1.2.3.4", environment: { os: "Linux" } },
      },
    ]) {
      expect(fits(AssertionMetadata, item), JSON.stringify(item)).toBe(true);
    }
  });

  it("refuses what they refuse", () => {
    const family = { malware_family: "A" };
    for (const item of [
      null,
      "A",
      {},
      { malware_family: null },
      { malware_family: 1 },
      { ...family, heuristic: "maybe" },
      { ...family, domains: ["io"] },
      { ...family, domains: ["..."] },
      { ...family, ip_addresses: ["1.2.3"] },
      { ...family, ip_addresses: ["1.2.3.4/32"] },
      { ...family, stix: [{ signature: "x" }] },
      { ...family, scanner: { version: "v1" } },
      { ...family, scanner: { version: "1.2-b" } },
      { ...family, scanner: { version: 1 } },
      { ...family, scanner: { vendor_version: 1 } },
    ]) {
      expect(fits(AssertionMetadata, item), JSON.stringify(item)).toBe(false);
    }
  });

  it("is a list of 1 to 256 entries", () => {
    const list = (length: number) => Array.from({ length }, () => ({ malware_family: "" }));
    const lengths = [0, 1, 256, 257].map((length) => AssertionMetadata.safeParse(list(length)).success);
    expect(lengths).toEqual([false, true, true, false]);
  });
});

describe("bounty metadata", () => {
  it("takes files and URLs as the protocol describes them", () => {
    for (const item of [
      { mimetype: "" },
      { mimetype: "text/plain", filename: null, filesize: 1, extended_type: "ASCII text" },
      { mimetype: "text/plain", filesize: "4211", sha256: "9F".repeat(32), sha1: "a9".repeat(20), md5: null },
      { protocol: "https", uri: "https://phish.example/login" },
      { protocol: null, uri: "https://phish.example/login" },
    ]) {
      expect(fits(BountyMetadata, item), JSON.stringify(item)).toBe(true);
    }
  });

  it("refuses sizes, hashes and addresses that are none", () => {
    for (const item of [
      { mimetype: null },
      { filename: "a" },
      { mimetype: "x", filename: 1 },
      { mimetype: "x", filesize: 0 },
      { mimetype: "x", filesize: "0" },
      { mimetype: "x", filesize: "-1" },
      { mimetype: "x", filesize: "many" },
      { mimetype: "x", sha256: "9f" },
      { protocol: "https" },
      { uri: "https://phish.example" },
      { protocol: "https", uri: "phish" },
    ]) {
      expect(fits(BountyMetadata, item), JSON.stringify(item)).toBe(false);
    }
  });
});
