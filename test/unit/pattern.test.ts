import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern, MAX_PATTERN_STEPS, SEARCHED_CHARS } from "../../src/triage/filters/pattern.ts";

const search = (source: string, text: string): boolean => compilePattern(source).search(text);

describe("a pattern", () => {
  it.each([
    ["", "", true],
    ["b", "abc", true],
    ["^b", "abc", false],
    ["c$", "abc", true],
    ["c$", "abc\n", true],
    ["c\\Z", "abc\n", false],
    ["\\Ab", "a\nb", false],
    ["(?m)^b$", "a\nb\nc", true],
    ["a.b", "a\nb", false],
    ["(?s)a.b", "a\nb", true],
    ["(?i)HTML", "text/html", true],
    ["(?i)[A-C]+$", "xabc", true],
    ["a{2,3}b", "aab", true],
    ["^a{2,3}b", "aaaab", false],
    ["^a{,2}$", "aaa", false],
    ["a{x", "a{x", true],
    ["^(?:ab|cd)+$", "abcdab", true],
    ["(?P<kind>x|y)z", "yz", true],
    ["[^/]+/(html|xml)$", "text/xml", true],
    ["[]a]", "]", true],
    ["[a-]", "-", true],
    ["[\\w.-]+@", "me.x-y@", true],
    ["\\d{4}", "a2024", true],
    ["^\\d$", "٣", true],
    ["^\\w$", "é", true],
    ["\\bcat\\b", "a cat.", true],
    ["\\bcat\\b", "concat", false],
    ["\\Bcat", "concat", true],
    ["^.$", "😀", true],
    ["\\x41\\u00e9\\U0001F600", "Aé😀", true],
    ["a\\0b", "a\0b", true],
    ["^\\07$", "\u0007", true],
    ["^\\0123$", "\n3", true],
    ["^[\\040]$", " ", true],
    ["a+?b", "aab", true],
    ["(a*)*b", "aaab", true],
    ["()+x", "x", true],
    ["a\\.b", "axb", false],
  ])("%s is searched for in %j: %s", (source, text, found) => {
    expect(search(source, text)).toBe(found);
  });

  it("finds what JavaScript's own expressions find, where both mean the same", () => {
    const atom = fc.constantFrom(
      "a",
      "b",
      "c",
      ".",
      "[ab]",
      "[^a]",
      "\\w",
      "\\d",
      "\\s",
      "\\b",
      "^",
      "\\.",
      "(?:)",
    );
    const { pattern } = fc.letrec<{ pattern: string; piece: string }>((tie) => ({
      pattern: fc.array(tie("piece"), { maxLength: 4 }).map((pieces) => pieces.join("")),
      piece: fc.oneof(
        { maxDepth: 3 },
        atom,
        tie("pattern").map((inner) => `(${inner})`),
        fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `(?:${a}|${b})`),
        fc
          .tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{0,}", "*?", "{1,2}?"))
          .map(([inner, times]) => `(?:${inner})${times}`),
      ),
    }));
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "1", " ", ".", "\n"), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (source, searched) => {
        expect(search(source, searched)).toBe(new RegExp(source, "u").test(searched));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["(a", '")" is missing'],
    ["a)", "closes nothing"],
    ["[a", '"]" is missing'],
    ["*a", "nothing to repeat"],
    ["a**", "is repeated"],
    ["a{3,2}", "wrong way round"],
    ["a++", "possessive"],
    ["[b-a]", "a range is none"],
    ["(a)\\1", "backreferences"],
    ["a(?=b)", "not understood"],
    ["(?<!a)b", "not understood"],
    ["(?P=x)", "not understood"],
    ["\\q", "not understood"],
    ["\\x4", "hex digits"],
    ["a\\", "ends in a backslash"],
    ["a{1000000000}", "too large"],
    ["(?:){1000000000}", "too large"],
    ["((a{50}){50}){50}", "too large"],
  ])("%s is refused with a reason", (source, why) => {
    expect(() => compilePattern(source)).toThrow(why);
  });

  it.each([
    "(a+)+$",
    "^(a|a)*$",
    "^(a*)*$",
    "(a|aa)+$",
    "(.*)(.*)(.*)(.*)(.*)(.*)=$",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
  ])("%s, which takes backtracking engines ages, takes no more than a moment", (source) => {
    const pattern = compilePattern(source);
    const from = performance.now();
    expect(pattern.search(`${"a".repeat(SEARCHED_CHARS - 1)}!`)).toBe(false);
    expect(performance.now() - from).toBeLessThan(1_000);
  });

  it("of the largest size, over the longest text, takes no more than a moment either", () => {
    const pattern = compilePattern(`(?:a?){${Math.floor((MAX_PATTERN_STEPS - 3) / 2)}}b`);
    const from = performance.now();
    expect(pattern.search("a".repeat(10 * SEARCHED_CHARS))).toBe(false);
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  it("looks at the beginning of a text without end, by its characters", () => {
    expect(search("b", `${"a".repeat(SEARCHED_CHARS - 1)}b`)).toBe(true);
    expect(search("b", `${"a".repeat(SEARCHED_CHARS)}b`)).toBe(false);
    expect(search("b", `${"😀".repeat(SEARCHED_CHARS - 1)}b`)).toBe(true);
  });
});
