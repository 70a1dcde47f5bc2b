import { describe, expect, it } from "vitest";
import type { RuleMatch } from "../../src/scanners/yara/engine.ts";
import { findingOfMatches } from "../../src/scanners/yara/finding.ts";

const VERSIONS = { engine: "YARA-X 1.2.3", rules: "abc" };
const match = (rule: string, meta: RuleMatch["meta"] = {}): RuleMatch => ({
  rule,
  namespace: "a.yar",
  tags: [],
  meta,
});
const found = (...matches: RuleMatch[]) => findingOfMatches(matches, VERSIONS);

describe("what YARA rules say of a file", () => {
  it("is unknown, without a reason, when none matches", () => {
    expect(found()).toEqual({
      verdict: "unknown",
      metadata: { scanner: { vendor_version: "YARA-X 1.2.3", signatures_version: "abc" } },
    });
  });

  it("is malicious, with three quarters and the rule's name, when a rule says nothing of itself", () => {
    expect(found(match("Some_Malware"))).toMatchObject({
      verdict: "malicious",
      confidence: 0.75,
      family: "Some_Malware",
      metadata: { yara_rules: ["Some_Malware"] },
    });
  });

  it.each<[RuleMatch["meta"], string, number]>([
    [{ confidence: 0.9 }, "malicious", 0.9],
    [{ confidence: 90 }, "malicious", 0.9],
    [{ confidence: 1 }, "malicious", 1],
    [{ confidence: "85" }, "malicious", 0.85],
    [{ confidence: " High " }, "malicious", 0.8],
    [{ score: 60 }, "malicious", 0.6],
    [{ score: 60, confidence: 0.7 }, "malicious", 0.7],
    [{ score: 40 }, "suspicious", 0.4],
    [{ confidence: 101 }, "malicious", 0.75],
    [{ confidence: -1, score: 65 }, "malicious", 0.65],
    [{ confidence: "very" }, "malicious", 0.75],
    [{ confidence: Number.NaN }, "malicious", 0.75],
    [{ confidence: true }, "malicious", 0.75],
    [{ verdict: "suspicious" }, "suspicious", 0.5],
    [{ verdict: "Benign", confidence: 0.3 }, "benign", 0.3],
    [{ verdict: "malicious", score: 40 }, "malicious", 0.4],
    [{ verdict: "harmless" }, "malicious", 0.75],
    [{ verdict: true }, "malicious", 0.75],
  ])("reads %o as %s with %d", (meta, verdict, confidence) => {
    expect(found(match("rule", meta))).toMatchObject({ verdict, confidence });
  });

  it.each([
    [{ malware_family: "B", family: "A" }, "A"],
    [{ malware_family: "B" }, "B"],
    [{ threat_name: "Windows.Trojan.C" }, "Windows.Trojan.C"],
    [{ family: " ", malware: "D" }, "D"],
    [{ family: 5 }, "rule"],
  ])("finds the family in %o", (meta, family) => {
    expect(found(match("rule", meta)).family).toBe(family);
  });

  it("goes by the surest rule, and takes the family from the surest of that verdict which names one", () => {
    const finding = found(
      match("weak", { confidence: 0.5, family: "Weak" }),
      match("clean", { verdict: "benign", confidence: 0.8, family: "Installer" }),
      match("strong", { confidence: 0.9 }),
      match("middle", { confidence: 0.7, family: "Middle" }),
    );
    expect(finding).toMatchObject({
      verdict: "malicious",
      confidence: 0.9,
      family: "Middle",
      metadata: {
        yara_rules: ["strong", "clean", "middle", "weak"],
        yara_families: ["Installer", "Middle", "Weak"],
      },
    });
  });

  it("lets the worse of two equally sure verdicts lead", () => {
    const rules = [
      match("clean", { verdict: "benign", confidence: 0.8 }),
      match("odd", { verdict: "suspicious", confidence: 0.8 }),
      match("bad", { confidence: 0.8 }),
    ];
    expect(found(...rules).verdict).toBe("malicious");
    expect(found(...rules.slice(0, 2)).verdict).toBe("suspicious");
  });

  it("names no family of what is benign", () => {
    expect(found(match("clean", { verdict: "benign", family: "Installer" }))).not.toHaveProperty("family");
  });

  it("stays small however many rules match, and however long their names are", () => {
    const long = "x".repeat(5_000);
    const many = Array.from({ length: 3_000 }, (_, at) =>
      match(`r${at}${long}`, { family: `f${at}${long}` }),
    );
    const finding = found(...many);
    expect(JSON.stringify(finding).length).toBeLessThan(9_000);
    expect(finding.metadata).toMatchObject({ yara_rules_matched: 3_000 });
    expect(finding.metadata?.yara_rules).toHaveLength(32);
  });

  it("names a rule once that two files have", () => {
    expect(found(match("twin"), { ...match("twin"), namespace: "b.yar" }).metadata?.yara_rules).toEqual([
      "twin",
    ]);
  });
});
