import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VERDICTS } from "../../src/domain/verdict.ts";
import {
  AnswerShape,
  excerpt,
  findingOfAnswer,
  OutcomesShape,
  parseAnswer,
  valueAt,
} from "../../src/scanners/described-answer.ts";
import { checkFinding } from "../../src/scanners/finding.ts";

const OWN = AnswerShape.parse({});
const read = (document: unknown, map: object = {}) =>
  parseAnswer(JSON.stringify(document), AnswerShape.parse(map));

describe("a described backend's answer", () => {
  it("is a finding as scanners write them, when the description says nothing else", () => {
    const finding = {
      verdict: "malicious",
      confidence: 0.7,
      family: "X",
      metadata: { domains: ["a.example"] },
    };
    expect(read(finding)).toEqual(finding);
    expect(read({ verdict: "unknown", detail: "It is encrypted." })).toEqual({
      verdict: "unknown",
      detail: "It is encrypted.",
    });
  });

  it("is read where pointers point, its words by a table, its confidence by its scale", () => {
    const map = {
      verdict: "/result/0/class",
      confidence: "/score",
      confidenceMax: 100,
      family: "/a~1b/~0name",
      verdicts: { Infected: "malicious", null: { verdict: "unknown", detail: "It gave no class." } },
    };
    const document = { result: [{ class: "INFECTED" }], score: 80, "a/b": { "~name": "Emotet" } };
    expect(read(document, map)).toEqual({ verdict: "malicious", confidence: 0.8, family: "Emotet" });
    expect(read({ result: [] }, map)).toEqual({ verdict: "unknown", detail: "It gave no class." });
  });

  it("takes what a word means from the table unless the answer says it itself", () => {
    const map = { verdicts: { true: { verdict: "malicious", confidence: 0.9, family: "Generic" } } };
    expect(read({ verdict: true }, map)).toEqual({
      verdict: "malicious",
      confidence: 0.9,
      family: "Generic",
    });
    expect(read({ verdict: true, confidence: 0.2, family: "Own" }, map)).toEqual({
      verdict: "malicious",
      confidence: 0.2,
      family: "Own",
    });
  });

  it.each([
    ["no JSON", "clean!", "is not JSON"],
    ["nothing", "", "is not JSON: it said nothing"],
    ["a word in no table", '{"verdict":"bad"}', 'no known verdict at "/verdict"'],
    ["a verdict that is an object", '{"verdict":{"verdict":"malicious"}}', "no known verdict"],
    ["no verdict", '["malicious"]', "no known verdict"],
    [
      "percents where ratios are expected",
      '{"verdict":"malicious","confidence":80}',
      "no number from 0 to 1",
    ],
    ["a confidence that is text", '{"verdict":"malicious","confidence":"0.8"}', "no number from 0 to 1"],
  ])("is none when it is %s", (_, text, words) => {
    expect(() => parseAnswer(text, OWN)).toThrow(
      expect.objectContaining({ code: "ANSWER_INVALID", message: expect.stringContaining(words) }),
    );
  });

  it("may begin with the mark that programs of Windows print", () => {
    expect(parseAnswer('\uFEFF{"verdict":"malicious"}\r\n', OWN)).toEqual({ verdict: "malicious" });
  });

  it("never finds a verdict in what every object inherits", () => {
    const map = AnswerShape.parse({ verdict: "/constructor/name", verdicts: { Object: "malicious" } });
    expect(() => parseAnswer("{}", map)).toThrow("no known verdict");
    expect(() => parseAnswer('{"verdict":"constructor"}', OWN)).toThrow("no known verdict");
    expect(valueAt({}, "/constructor")).toBe(undefined);
    expect(valueAt([], "/length")).toBe(undefined);
  });

  it("is always a finding that can be staked on, or an error with an excerpt of one short line", () => {
    const answers = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          verdict: fc.constantFrom(...VERDICTS, 1, null),
          confidence: fc.anything(),
          family: fc.anything(),
        })
        .map((answer) => JSON.stringify(answer, (_, value) => (typeof value === "bigint" ? 1 : value)) ?? ""),
    );
    fc.assert(
      fc.property(answers, (text) => {
        try {
          const checked = checkFinding(parseAnswer(text, OWN));
          expect(checked).toMatchObject({ ok: true });
        } catch (error) {
          expect(error).toMatchObject({ code: "ANSWER_INVALID" });
          expect((error as Error).message).toMatch(/^[^\n]{0,260}$/);
        }
      }),
    );
  });

  it("reads any value at the pointer that leads to it", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), fc.jsonValue(), (keys, value) => {
        const document = keys.reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), value);
        const pointer = keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
        expect(valueAt(document, pointer)).toEqual(value);
      }),
    );
  });
});

describe("what an exit code or status means", () => {
  const outcomes = OutcomesShape.parse({
    "0": "unknown",
    "1": { verdict: "malicious", confidence: 0.9 },
    "2": "answer",
    "3": { verdict: "unknown", detail: "It is encrypted." },
  });
  const of = (outcome: number, text = "") =>
    findingOfAnswer({ outcome, text, who: "it ended" }, outcomes, OWN);

  it("is in the table", () => {
    expect(of(0)).toEqual({ verdict: "unknown" });
    expect(of(1)).toEqual({ verdict: "malicious", confidence: 0.9 });
    expect(of(3)).toEqual({ verdict: "unknown", detail: "It is encrypted." });
  });

  it("can be to read the text, and only then is it read", () => {
    expect(of(2, '{"verdict":"benign","confidence":0.6}')).toEqual({ verdict: "benign", confidence: 0.6 });
    expect(of(0, '{"verdict":"benign"}')).toEqual({ verdict: "unknown" });
  });

  it("is an error when it is in no table, with the beginning of what was said", () => {
    expect(() => of(9, "disk\n full")).toThrow('it ended: "disk full".');
  });

  it("quotes strangers in one line without control characters", () => {
    expect(excerpt(`\u001b[31m${"a".repeat(500)}\r\n\u202e`)).toMatch(/^"\[31ma{115,120}…"$/);
    expect(excerpt(" \n")).toBe("it said nothing");
  });
});
