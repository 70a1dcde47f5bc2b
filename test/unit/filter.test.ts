import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_CLAIM } from "../../src/domain/artifact.ts";
import { parseJson } from "../../src/json/json.ts";
import {
  type Comparison,
  type Condition,
  filteredOut,
  parseCondition,
} from "../../src/triage/filters/filter.ts";

const claim = (raw: Record<string, unknown>) => ({ raw });
/** The metadata as it comes over the wire. */
const heard = (json: string) => claim(parseJson(json) as Record<string, unknown>);
const holds = (comparison: Comparison, value: string, held: string): boolean =>
  parseCondition("key", comparison, value).matches(heard(`{"key": ${held}}`));

describe("a condition on a bounty's metadata", () => {
  it.each<[Comparison, string, string, boolean]>([
    ["<", "10", "9.5", true],
    ["<", "10", "10", false],
    ["<=", "10", "10", true],
    [">=", "10", "10", true],
    [">", "10", "10", false],
    [">", "10", "11", true],
    [">", "1e3", '"1001"', true],
    ["<", "-1", '" -2 "', true],
    [">", "9007199254740993", "5424999999999999997", true],
    [">", "5", '"inf"', true],
    [">", "5", '"nan"', false],
    ["<", "5", '"nan"', false],
    [">", "0", "true", true],
    [">", "0", '"many"', false],
    ["<", "0", '"many"', false],
    [">", "0", "[7]", false],
    [">", "0", '""', false],
    ["==", "text/html", '"text/html"', true],
    ["==", "text/html", '"Text/html"', false],
    ["==", "True", "true", true],
    ["==", "true", "true", false],
    ["==", "5", "5", true],
    ["==", "5", '"5"', true],
    ["==", "0.5", "0.5", true],
    ["==", "1e-05", "0.00001", true],
    ["==", "1e+16", "1e16", true],
    ["==", "5424999999999999997", "5424999999999999997", true],
    ["==", "['a', 1, None, False]", '["a", 1, null, false]', true],
    ["==", "{'a': {'b': []}}", '{"a": {"b": []}}', true],
    [
      "==",
      `["it's", 'say "it\\'s"', 'a\\n\\x00\\u2028é']`,
      '["it\'s", "say \\"it\'s\\"", "a\\n\\u0000\\u2028é"]',
      true,
    ],
    ["==", "", '""', true],
    ["contains", "html", '"text/html"', true],
    ["contains", "'a'", '["a", "b"]', true],
    ["contains", "xml", '"text/html"', false],
    ["startswith", "text/", '"text/html"', true],
    ["startswith", "html", '"text/html"', false],
    ["endswith", "/html", '"text/html"', true],
    ["endswith", "text", '"text/html"', false],
    ["regex", "h.ml", '"text/html"', true],
    ["regex", "^h.ml", '"text/html"', false],
    ["regex", "^\\[", "[1]", true],
  ])("%s %s is asked of %s: %s", (comparison, value, held, expected) => {
    expect(holds(comparison, value, held)).toBe(expected);
  });

  it.each<[Comparison, string]>([
    ...(["<", "<=", ">=", ">"] as const).map((comparison): [Comparison, string] => [comparison, "0"]),
    ["==", "None"],
    ...(["contains", "startswith", "endswith", "regex"] as const).map((comparison): [Comparison, string] => [
      comparison,
      "",
    ]),
  ])(
    "with %s %j matches neither a key that is missing, nor null, nor metadata that is none",
    (comparison, value) => {
      const condition = parseCondition("key", comparison, value);
      for (const nothing of [claim({}), claim({ key: null }), claim({ Key: "None" }), NO_CLAIM]) {
        expect(condition.matches(nothing)).toBe(false);
      }
    },
  );

  it("looks at the metadata's own keys at the top only", () => {
    expect(parseCondition("constructor", "contains", "").matches(claim({}))).toBe(false);
    expect(parseCondition("a.b", "==", "1").matches(claim({ a: { b: 1 } }))).toBe(false);
    expect(parseCondition("a.b", "==", "1").matches(claim({ "a.b": 1 }))).toBe(true);
  });

  it.each([
    ["=", "1", /with one of the comparisons .* not "="/],
    ["EQ", "1", /with one of the comparisons/],
    ["<", "ten", /with a number behind <, not "ten"/],
    [">=", "nan", /with a number behind >=/],
    [">", "", /with a number behind >/],
    ["regex", "(a", /a "\)" is missing/],
    ["regex", "a(?=b)", /is not understood/],
  ])("with %s %s is refused when it is read", (comparison, value, why) => {
    expect(() => parseCondition("key", comparison, value)).toThrow(why);
  });

  it("is never thrown off by what a stranger wrote", () => {
    const conditions = (["<", "==", "contains", "regex"] as const).map((comparison) =>
      parseCondition("key", comparison, "1"),
    );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (key) => {
        for (const condition of conditions) expect(typeof condition.matches(claim({ key }))).toBe("boolean");
      }),
    );
    const deep = Array.from({ length: 20_000 }).reduce<unknown>((inner) => [inner], 1);
    for (const condition of conditions) expect(condition.matches(claim({ key: deep }))).toBe(false);
  });
});

describe("filters", () => {
  const always = (matches: boolean, text = String(matches)): Condition => ({ text, matches: () => matches });
  const accept = (matches: boolean) => ({ decision: "accept", condition: always(matches) }) as const;
  const reject = (matches: boolean) => ({ decision: "reject", condition: always(matches) }) as const;

  it.each([
    ["none", [], true],
    ["an accept that matches", [accept(true)], true],
    ["an accept that does not", [accept(false)], false],
    ["two accepts, of which one matches", [accept(false), accept(true)], true],
    ["a reject that matches", [reject(true)], false],
    ["a reject that does not", [reject(false)], true],
    ["two rejects, of which one matches", [reject(false), reject(true)], false],
    ["both, matching", [accept(true), reject(true)], false],
    ["both, of which the accept matches", [accept(true), reject(false)], true],
    ["both, matching neither", [accept(false), reject(false)], false],
  ])("let an artifact pass or not: %s", (_, filters, allowed) => {
    expect(filteredOut(filters, NO_CLAIM) === undefined).toBe(allowed);
  });

  it("decide by the documented rule whatever there is, in any order", () => {
    const filter = fc.record({
      decision: fc.constantFrom("accept", "reject"),
      condition: fc.boolean().map((yes) => always(yes)),
    });
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 12 }), (filters) => {
        const matching = filters
          .filter(({ condition }) => condition.matches(NO_CLAIM))
          .map(({ decision }) => decision);
        const accepted =
          !filters.some(({ decision }) => decision === "accept") || matching.includes("accept");
        const allowed = accepted && !matching.includes("reject");
        expect(filteredOut(filters, NO_CLAIM) === undefined).toBe(allowed);
        expect(filteredOut(filters.toReversed(), NO_CLAIM) === undefined).toBe(allowed);
      }),
    );
  });

  it("name the one that decided", () => {
    const html = { decision: "reject", condition: parseCondition("mimetype", "==", "text/html") } as const;
    expect(filteredOut([html], claim({ mimetype: "text/html" }))).toBe("rejected by mimetype == text/html");
    const small = { decision: "accept", condition: parseCondition("filesize", "<", "10") } as const;
    const pdf = { decision: "accept", condition: parseCondition("mimetype", "endswith", "pdf") } as const;
    expect(filteredOut([small, pdf], NO_CLAIM)).toBe(
      "accepted by none of filesize < 10 | mimetype endswith pdf",
    );
  });

  it("never let pass what has no metadata where something must be accepted, and always where it need not", () => {
    const any = parseCondition("mimetype", "regex", "");
    expect(filteredOut([{ decision: "accept", condition: any }], NO_CLAIM)).toBeDefined();
    expect(filteredOut([{ decision: "reject", condition: any }], NO_CLAIM)).toBeUndefined();
  });
});
