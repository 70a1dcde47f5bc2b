import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  acceptedMetadata,
  MAX_ADDED_BYTES,
  metadataComplaints,
} from "../../src/domain/assertion-metadata.ts";
import { parseJson, stringifyJson } from "../../src/json/json.ts";
import { buildMetadata } from "../../src/market/metadata-document.ts";
import { AssertionMetadata } from "../../src/sandbox/gateway/shared/metadata-schema.ts";
import { anAnswer } from "../fixtures/bounties.ts";

const malicious = { verdict: "malicious", family: "Some.Family" } as const;
const versions = { microengine: "0.1.0" };
const entryOf = (...answers: Parameters<typeof anAnswer>[0][]) =>
  buildMetadata([{ opinion: malicious, answers: answers.map(anAnswer) }], versions)[0]!;

describe("what a scanner adds", () => {
  it.each([
    ["domains", ["evil.example", "a..io", "пример"]],
    ["ip_addresses", ["203.0.113.9", "2001:db8::7"]],
    ["stix", [{ schema: "indicator-2.0", signature: null }]],
    ["stix_signatures", [{ schema: "indicator-2.0", signature: {} }]],
    ["heuristic", false],
    ["anything else", { deep: [1, { deeper: null }] }],
    ["constructor", "no rule of ours"],
    ["__proto__", 5],
  ])("is kept: %s", (key, value) => {
    const metadata = JSON.parse(`{${JSON.stringify(key)}: ${JSON.stringify(value)}}`) as Record<
      string,
      unknown
    >;
    expect(stringifyJson(acceptedMetadata(metadata))).toBe(stringifyJson(metadata));
    expect(metadataComplaints(metadata)).toEqual([]);
  });

  it.each([
    ["domains", "evil.example"],
    ["domains", []],
    ["domains", ["io"]],
    ["domains", ["\u{1D54F}a"]],
    ["domains", ["x".repeat(128)]],
    ["domains", ["..."]],
    ["ip_addresses", ["1.2.3"]],
    ["ip_addresses", ["fe80::1%eth0"]],
    ["ip_addresses", ["1.2.3.4/32"]],
    ["ip_addresses", [16_909_060]],
    ["stix", [{ schema: "indicator-2.0" }]],
    ["stix", { schema: "x", signature: "y" }],
    ["stix_signatures", ["x"]],
    ["heuristic", "maybe"],
    ["heuristic", 1],
    ["malware_family", "Mine"],
    ["scanner", { vendor_version: 3 }],
    ["scanner", { environment: "Linux" }],
  ])(
    "is left out, alone and with a complaint, where the schema would refuse all of it: %s %j",
    (key, value) => {
      const metadata = { [key]: value, note: "kept" };
      expect(acceptedMetadata(metadata)).toEqual({ note: "kept" });
      expect(metadataComplaints(metadata)).toEqual([expect.stringContaining(`metadata.${key}`)]);
    },
  );

  it("is left out from the largest on where it has no room, and the rest stays", () => {
    const metadata = {
      dump: "é".repeat(9_000),
      note: "kept",
      list: Array(500).fill("kept"),
      heuristic: true,
    };
    const { dump: _, ...rest } = metadata;
    expect(acceptedMetadata(metadata)).toEqual(rest);
    expect(metadataComplaints(metadata)).toEqual([
      "metadata.dump is left out: all that is added to one artifact may have 16384 bytes as JSON.",
    ]);
  });
});

describe("the metadata of an assertion", () => {
  it("names scanner, versions, family and environment, and keeps the scanner's own word on these", () => {
    const scanner = {
      vendor_version: "2024.3 build 17",
      signatures_version: "88123",
      version: "v9",
      other: 1,
    };
    expect(entryOf({ scannerVersion: "3.1.0", metadata: { scanner } })).toEqual({
      malware_family: "Some.Family",
      scanner: {
        version: "3.1.0",
        vendor_version: "2024.3 build 17",
        signatures_version: "88123",
        polyswarmclient_version: "0.1.0",
        environment: { operating_system: process.platform, architecture: process.arch },
      },
    });
    const environment = { operating_system: "Windows", architecture: "arm64", sandboxed: true };
    expect(entryOf({ metadata: { scanner: { environment } } })).toMatchObject({ scanner: { environment } });
    expect(entryOf({ scannerVersion: "3.1" })).not.toHaveProperty("scanner.version");
  });

  it("puts together what several scanners add that agree, and takes the surest at its word", () => {
    const entry = entryOf(
      {
        backend: "a",
        confidence: 0.8,
        metadata: { domains: ["b.example", "a.example"], note: "weak", rules: 3 },
      },
      { backend: "b", confidence: 0.9, metadata: { domains: ["a.example"], note: "strong" } },
      { backend: "c", confidence: 0.7, metadata: { heuristic: true, ip_addresses: ["1.2.3.4"] } },
      { backend: "d", verdict: "benign", metadata: { signer: "somebody" } },
    );
    expect(entry).toEqual({
      malware_family: "Some.Family",
      scanner: expect.anything(),
      note: "strong",
      rules: 3,
      domains: ["a.example", "b.example"],
      ip_addresses: ["1.2.3.4"],
    });
  });

  it("keeps to what the surest adds where all together has no room", () => {
    const dump = (from: string) => ({ [from]: "x".repeat(10_000) });
    const entry = entryOf(
      { confidence: 0.8, metadata: dump("weak") },
      { confidence: 0.9, metadata: dump("strong") },
    );
    expect(Object.keys(entry).toSorted()).toEqual(["malware_family", "scanner", "strong"]);
  });

  it("names the scanner whose silence was taken for benign", () => {
    const answer = {
      verdict: "unknown",
      confidence: 0,
      reason: "no-match",
      scannerVersion: "2.0.1",
    } as const;
    const [entry] = buildMetadata(
      [{ opinion: { verdict: "benign", family: "" }, answers: [anAnswer(answer)] }],
      versions,
    );
    expect(entry).toMatchObject({ malware_family: "", scanner: { version: "2.0.1" } });
  });

  it("fits every version of the schema and its place, whatever scanners add", () => {
    const known = fc.constantFrom(
      ...["domains", "ip_addresses", "stix", "stix_signatures", "heuristic", "malware_family", "scanner"],
      ...["constructor", "toString", "note"],
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.array(fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6())),
      fc.array(fc.record({ schema: fc.string(), signature: fc.jsonValue() }, { requiredKeys: [] })),
      // Written without an exponent, and read as an integer beyond 2^53.
      fc.constantFrom(1e20, "x".repeat(20_000), "\u{1f600}".repeat(3_000)),
    );
    const metadata = fc
      .dictionary(fc.oneof(known, fc.string()), value, { maxKeys: 6, noNullPrototype: true })
      .map((given) => parseJson(JSON.stringify(given)) as Record<string, unknown>);
    const answers = fc.array(fc.record({ metadata, confidence: fc.double({ min: 0, max: 1, noNaN: true }) }));
    fc.assert(
      fc.property(fc.array(fc.option(answers), { minLength: 1, maxLength: 5 }), (bounty) => {
        const built = buildMetadata(
          bounty.map((some) => some && { opinion: malicious, answers: some.map((one) => anAnswer(one)) }),
          versions,
        );
        expect(built).toHaveLength(bounty.length);
        const wire = JSON.parse(stringifyJson(built)) as Record<string, unknown>[];
        expect(AssertionMetadata.safeParse(wire).error).toBeUndefined();
        for (const [index, entry] of wire.entries()) {
          if (bounty[index] === null) expect(entry).toEqual({ malware_family: "" });
          expect(Object.values(entry)).not.toContain(null);
          const { scanner: _, malware_family: family, ...added } = entry;
          expect(family).toBe(bounty[index] === null ? "" : "Some.Family");
          expect(Buffer.byteLength(JSON.stringify(added))).toBeLessThanOrEqual(MAX_ADDED_BYTES);
        }
      }),
      { numRuns: 300 },
    );
  });
});
