import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkFinding, sendable } from "../../src/scanners/finding.ts";

const finding = (said: unknown) => {
  const checked = checkFinding(said);
  if (!checked.ok) throw new Error(checked.why);
  return checked.finding;
};

describe("checking what a scanner said", () => {
  it.each([
    ["malicious", 1],
    ["benign", 1],
    ["suspicious", 0.5],
    ["unknown", 0],
  ])("is sure of %s by %d when the scanner does not say", (verdict, confidence) => {
    expect(finding({ verdict })).toEqual({ verdict, confidence, metadata: {} });
  });

  it.each([
    [1.2, 1],
    [-0.5, 0],
    [0.25, 0.25],
  ])("takes a confidence of %d as %d", (said, taken) => {
    expect(finding({ verdict: "malicious", confidence: said }).confidence).toBe(taken);
  });

  it("has no confidence in unknown, whatever was said", () => {
    expect(finding({ verdict: "unknown", confidence: 1 }).confidence).toBe(0);
  });

  it("passes over null and empty where nothing is meant", () => {
    const said = { verdict: "benign", confidence: null, family: "", detail: null, metadata: null, extra: 1 };
    expect(finding(said)).toEqual({ verdict: "benign", confidence: 1, metadata: {} });
  });

  it.each([
    ["malicious", "Needle"],
    ["suspicious", "Needle"],
    ["benign", undefined],
    ["unknown", undefined],
  ])("of what is %s has the family %s", (verdict, family) => {
    expect(finding({ verdict, family: "Needle" }).family).toBe(family);
  });

  it("keeps of the metadata what JSON can say", () => {
    const metadata = { heuristic: true, when: undefined, list: [1] };
    expect(finding({ verdict: "benign", metadata }).metadata).toEqual({ heuristic: true, list: [1] });
  });

  it("names the word that is no verdict, and those that are", () => {
    const why = (said: unknown) => (checkFinding(said) as { why?: string }).why;
    expect(why({ verdict: "clean" })).toBe(
      'verdict: "clean" is none of malicious, benign, suspicious, unknown',
    );
    expect(why({ verdict: 1 })).toBe("verdict: a number is none of malicious, benign, suspicious, unknown");
    expect(why({})).toBe("verdict: it is missing");
  });

  it("makes whole what hostile text breaks in the middle of a character", () => {
    const broken = "a\ud800b";
    const said = { verdict: "malicious", family: broken, metadata: { note: [broken] } };
    expect(finding(said)).toMatchObject({ family: "a\ufffdb", metadata: { note: ["a\ufffdb"] } });
    const cut = finding({ verdict: "malicious", family: `${"x".repeat(1023)}\u{1f600}` });
    expect(cut.family?.isWellFormed()).toBe(true);
  });

  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  it.each([
    ["nothing", undefined],
    ["a boolean", true],
    ["an unknown word", { verdict: "bad" }],
    ["NaN", { verdict: "malicious", confidence: Number.NaN }],
    ["infinity", { verdict: "malicious", confidence: Infinity }],
    ["a confidence in words", { verdict: "malicious", confidence: "high" }],
    ["a family that is no text", { verdict: "malicious", family: 7 }],
  ])("refuses %s", (_, said) => {
    expect(checkFinding(said)).toMatchObject({ ok: false, why: expect.any(String) });
  });

  it.each([
    ["a function in it", { rule: "a", run: () => 1 }, { rule: "a" }],
    ["an address in it", { link: new URL("http://a.example/") }, { link: "http://a.example/" }],
    ["cycles", cyclic, false],
    ["a bigint in it", { size: 1n }, false],
    ["no end", { text: "x".repeat(100_000) }, false],
  ])("can be sent to another process whatever the metadata is: with %s", (_, metadata, sent) => {
    const said = { verdict: "malicious", confidence: 0.9, raw: () => 1, metadata };
    expect(structuredClone(sendable(said))).toEqual({
      verdict: "malicious",
      confidence: 0.9,
      metadata: sent,
    });
    expect(sendable({ verdict: "unknown" })).toEqual({ verdict: "unknown" });
  });

  it.each([
    ["cyclic", cyclic],
    ["with a bigint", { size: 1n }],
    ["endless", { text: "x".repeat(100_000) }],
    ["a text", "seen before"],
    ["a list", [{ heuristic: true }]],
    ["a function", () => 1],
  ])("keeps the verdict and drops metadata that is %s, and says so", (_, metadata) => {
    const said = { verdict: "malicious", confidence: 0.9, family: "Needle", metadata };
    expect(finding(said)).toEqual({
      verdict: "malicious",
      confidence: 0.9,
      family: "Needle",
      metadata: {},
      dropped: "metadata is left out: it must be an object that is JSON of at most 65536 characters.",
    });
  });

  it("never throws, and never lets a confidence outside 0..1 through", () => {
    const verdict = fc.constantFrom("malicious", "benign", "suspicious", "unknown");
    const said = fc.oneof(
      fc.anything(),
      fc.record({ verdict, confidence: fc.oneof(fc.double(), fc.anything()) }),
    );
    fc.assert(
      fc.property(said, (value) => {
        const checked = checkFinding(value);
        if (checked.ok) expect(checked.finding.confidence >= 0 && checked.finding.confidence <= 1).toBe(true);
      }),
    );
  });
});
