import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bayes } from "../../src/distill/bayes.ts";
import { learn } from "../../src/distill/experience/learn.ts";
import { NOTHING_LEARNED } from "../../src/distill/experience/reliability.ts";
import { knowledgeAbout } from "../../src/distill/knowledge.ts";
import { silenceBy } from "../../src/domain/silence.ts";
import { ppm } from "../../src/domain/verdict.ts";
import { anAnswer } from "../fixtures/bounties.ts";

const rule = (backend: string, type: string, worth: number) => ({ backend, type, worth: ppm(worth) });
const DOCX = ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip"];

describe("what the silence of a backend is worth", () => {
  const silence = silenceBy([
    rule("clamav", "application/zip", 0.7),
    rule("clamav", DOCX[0]!, 0.9),
    rule("clamav", "*", 0.6),
    rule("clamav", "text/*", 0.8),
    rule("yara", "application/x-dosexec", 0.75),
    rule("yara", "application/x-dosexec", 0.85),
  ]);
  it.each([
    ["of the more specific of two types", DOCX, { clamav: 900_000 }],
    ["of the type", ["application/zip"], { clamav: 700_000 }],
    ["of the group of types", ["text/x-shellscript", "text/plain"], { clamav: 800_000 }],
    ["of all", ["image/png"], { clamav: 600_000 }],
    ["of all, where nobody could tell a type", [], { clamav: 600_000 }],
    [
      "of the type under its other name, as it was said last",
      ["application/vnd.microsoft.portable-executable"],
      { clamav: 600_000, yara: 850_000 },
    ],
  ])("is what was said %s", (_, types, worths) => {
    expect(Object.fromEntries(silence(types))).toEqual(worths);
  });

  it("is nothing where nothing was said, and never depends on the order of rules that differ in breadth", () => {
    expect(silenceBy([])(DOCX).size).toBe(0);
    expect(silenceBy([rule("yara", "text/*", 0.9)])(DOCX).size).toBe(0);
    const rules = [rule("a", "*", 0.6), rule("a", "text/*", 0.7), rule("a", "text/plain", 0.8)];
    fc.assert(
      fc.property(fc.shuffledSubarray(rules, { minLength: 3 }), (some) => {
        expect(silenceBy(some)(["text/plain"]).get("a")).toBe(800_000);
        expect(silenceBy(some)(["text/css"]).get("a")).toBe(700_000);
      }),
    );
  });

  it("makes benign only what the backend was said to know", () => {
    const opinionOn = (types: readonly string[]) => {
      const answer = anAnswer({
        backend: "clamav",
        verdict: "unknown",
        confidence: 0,
        reason: "no-match",
        types,
      });
      const testimony = { asked: ["clamav"], answers: [answer] };
      const pdfs = silenceBy([rule("clamav", "application/pdf", 0.9)]);
      return bayes.distill(testimony, knowledgeAbout(testimony, pdfs, NOTHING_LEARNED));
    };
    expect(opinionOn(["application/pdf"])).toMatchObject({ verdict: "benign", confidence: 860_000 });
    expect(opinionOn(["text/html"])).toMatchObject({ verdict: "unknown", confidence: 0 });
  });

  it("is learned from as it is judged by", () => {
    const answers = [anAnswer({ backend: "clamav", verdict: "unknown", confidence: 0, reason: "no-match" })];
    const history = ["application/pdf", "text/html"].map((type) => {
      return { malicious: false, types: [type], answers, given: null };
    });
    const asked: string[] = [];
    learn(history, (types) => {
      asked.push(...types);
      return new Map();
    });
    expect(asked).toEqual(["application/pdf", "text/html"]);
  });
});
