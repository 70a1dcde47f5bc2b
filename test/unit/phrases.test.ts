import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { refuseStrayWords, retypedForNpm } from "../../src/config/npm.ts";
import { foldPhrases, parsePhrase, splitPhrases, writePhrase } from "../../src/config/values/phrases.ts";
import { readSettings } from "../../src/config/values/settings.ts";

const fold = (...argv: readonly string[]) => foldPhrases(argv, [producerSettings, consumerSettings]);
const read = (sources: {
  flags?: Record<string, string | readonly string[]>;
  env?: Record<string, string>;
}) => readSettings(producerSettings, { flags: {}, env: {}, ...sources });
const told = (filters: ReturnType<typeof read>["filter"]) =>
  filters.map(({ decision, condition }) => `${decision} ${condition.text}`);

describe("a phrase of four words", () => {
  it.each([
    [["producer", "--filter", "reject", "mimetype", "==", "text/html"], ["reject mimetype == text/html"]],
    [["--filter", "reject mimetype == text/html"], ["reject mimetype == text/html"]],
    [["--filter", "reject", "score", "<", "-1", "--queue", "q"], ["reject score < -1"]],
    [["--filter", "accept", "name", "startswith", "--"], ["accept name startswith --"]],
    [["--filter", "accept", "file name", "==", "a b"], ['accept "file name" == a b']],
    [
      [
        "--filter",
        "accept",
        "a",
        "==",
        "1",
        "--filter",
        "reject b == 2",
        "--filter",
        "reject",
        "c",
        "==",
        "3",
      ],
      ["accept a == 1", "reject b == 2", "reject c == 3"],
    ],
  ])("is one word of the command line from there on (%j)", (argv, phrases) => {
    const folded = fold(...argv);
    expect(folded.filter((_, at) => folded[at - 1] === "--filter")).toEqual(phrases);
  });

  it("leaves all other words where they were", () => {
    expect(fold("--queue", "q", "--filter", "accept", "a", "==", "1", "--wait", "5")).toEqual([
      ...["--queue", "q", "--filter", "accept a == 1", "--wait", "5"],
    ]);
    expect(fold("--filter=reject a == b", "x")).toEqual(["--filter=reject a == b", "x"]);
    expect(fold("--filter")).toEqual(["--filter"]);
  });

  it("of which words are missing is one that cannot be read, not a complaint about the words", () => {
    expect(fold("--filter", "reject", "a", "==")).toEqual(["--filter", "reject a =="]);
    expect(parsePhrase("reject a ==")).toBeUndefined();
  });

  it("survives being written as text and read back, whatever field and value are", () => {
    const word = fc.stringMatching(/^\S+$/).filter((text) => !/\s/.test(text) && text !== "");
    const text = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(word, text, word, text, (decision, field, comparison, value) => {
        const words = [decision, field, comparison, value];
        expect(parsePhrase(writePhrase(words))).toEqual(words);
      }),
    );
  });

  it.each(["reject", "reject a", "reject a ==", 'reject a == "b', "reject  ", ""])("is not %j", (text) => {
    expect(parsePhrase(text)).toBeUndefined();
  });
});

describe("the variable FILTER", () => {
  it("holds several, separated by semicolons or lines, quotes protecting both", () => {
    expect(splitPhrases('reject a == "x;y" ; accept b regex ^c;d == e\n\n reject f < 3;')).toEqual([
      ...['reject a == "x;y"', "accept b regex ^c", "d == e", "reject f < 3"],
    ]);
  });

  it("is read like the flag, which beats it", () => {
    const env = { FILTER: 'reject mimetype == "text/html; charset=utf-8"; accept filesize < 10' };
    expect(told(read({ env }).filter)).toEqual([
      ...["reject mimetype == text/html; charset=utf-8", "accept filesize < 10"],
    ]);
    expect(told(read({ env, flags: { filter: ["accept a == b"] } }).filter)).toEqual(["accept a == b"]);
    expect(read({}).filter).toEqual([]);
  });
});

describe("a filter or modifier that is wrong", () => {
  it.each([
    ["filter", "reject mimetype", /must be accept\|reject FIELD COMPARISON VALUE/],
    ["filter", "refuse mimetype == a", /must be accept\|reject FIELD COMPARISON VALUE/],
    ["filter", "reject mimetype = a", /must be a condition with one of the comparisons/],
    ["filter", "reject filesize < big", /must be a condition with a number behind <, not "big"/],
    ["filter", "reject filename regex [a", /must be a condition with a regular expression that can be used/],
    ["confidence", "accept mimetype == a", /must be favor\|penalize FIELD COMPARISON VALUE/],
  ])("is told when settings are read: --%s %s", (flag, text, why) => {
    expect(() => read({ flags: { [flag]: [text] } })).toThrow(why);
  });
});

describe("a phrase that npm took apart", () => {
  const npm = (taken: Record<string, string>) => ({ npm_lifecycle_event: "start", ...taken });
  const line = (words: readonly string[]) => ({
    command: "producer",
    settings: producerSettings,
    flags: {},
    words,
    rest: words,
  });

  it("comes back in one piece", () => {
    const words = ["reject", "mimetype", "==", "text/html"];
    expect(retypedForNpm(line(words), npm({ npm_config_filter: "true" }))).toBe(
      "npm start producer -- --filter 'reject mimetype == text/html'",
    );
    expect(() => refuseStrayWords(line(words), npm({ npm_config_filter: "true" }))).toThrow(
      /npm kept options/,
    );
  });

  it("comes back when it was one word", () => {
    expect(retypedForNpm(line([]), npm({ npm_config_confidence: "favor a == b" }))).toBe(
      "npm start producer -- --confidence 'favor a == b'",
    );
  });

  it("is left to fill in when it is anybody's guess", () => {
    const words = ["reject", "a", "==", "b", "accept", "c", "==", "d"];
    expect(retypedForNpm(line(words), npm({ npm_config_filter: "true\n\ntrue" }))).toBe(
      "npm start producer -- --filter FILTER --filter FILTER",
    );
  });
});
