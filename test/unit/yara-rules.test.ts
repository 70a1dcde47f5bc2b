import { symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { stampOf } from "../../src/scanners/yara/rule-files.ts";
import { placeOf, type RuleText, readRuleSet } from "../../src/scanners/yara/rules.ts";
import { RuleFolder, ruleFor } from "../fixtures/rule-folder.ts";

const namespaces = async (folder: RuleFolder) =>
  (await readRuleSet(folder.path)).texts.map(({ namespace, rules }) => [
    namespace,
    rules.map(({ name }) => name),
  ]);

const refusal = async (root: string): Promise<unknown> => readRuleSet(root).catch((error: unknown) => error);

/** The place of the line that holds the text. */
const placeIn = (text: RuleText, words: string): string =>
  placeOf(text, text.text.split("\n").findIndex((line) => line.includes(words)) + 1);

describe("a set of YARA rules", () => {
  it("is made of all rule files below a folder, each a namespace, and of nothing else there", async () => {
    using folder = new RuleFolder({
      "a.yar": ruleFor("one", "1"),
      "deep/er/b.YARA": ruleFor("one", "2"),
      "README.md": "rule no",
      ".git/c.yar": ruleFor("no", "3"),
      ".hidden.yar": ruleFor("no", "4"),
    });
    expect(await namespaces(folder)).toEqual([
      ["a.yar", ["one"]],
      ["deep/er/b.YARA", ["one"]],
    ]);
  });

  it("is one file, whatever that is called", async () => {
    using folder = new RuleFolder({ "rules.txt": ruleFor("one", "1"), "b.yar": ruleFor("no", "2") });
    const { texts, files } = await readRuleSet(folder.at("rules.txt"));
    expect(texts.map(({ namespace }) => namespace)).toEqual(["rules.txt"]);
    expect(files).toEqual([folder.at("rules.txt")]);
  });

  it("reads what is mounted as links to a hidden copy once, and ends with folders that are linked in a circle", async () => {
    using folder = new RuleFolder({ "..data/a.yar": ruleFor("one", "1"), "sub/b.yar": ruleFor("two", "2") });
    symlinkSync("..data/a.yar", folder.at("a.yar"));
    symlinkSync("..", folder.at("sub/up"));
    symlinkSync("nowhere", folder.at("dangling.yar"));
    expect(await namespaces(folder)).toEqual([
      ["a.yar", ["one"]],
      ["sub/b.yar", ["two"]],
    ]);
  });

  it("puts an included file where it is included, once, and gives it no namespace of its own", async () => {
    using folder = new RuleFolder({
      "index.yar": `include "parts/a.yar"\ninclude "parts/b.yar"\ninclude "parts/a.yar"\n${ruleFor("last", "3")}`,
      "parts/a.yar": ruleFor("a", "1"),
      "parts/b.yar": `include "a.yar"\n${ruleFor("b", "2")}`,
    });
    expect(await namespaces(folder)).toEqual([["index.yar", ["a", "b", "last"]]]);
  });

  it("knows the file and line of every line, of included files and behind them", async () => {
    using folder = new RuleFolder({
      "main.yar": `// first\ninclude "part.yar" rule same_line { condition: true }\n\n${ruleFor("after", "2")}`,
      "part.yar": `// part\n\n${ruleFor("inside", "1")}`,
    });
    const [text] = (await readRuleSet(folder.path)).texts;
    expect(placeIn(text!, "// first")).toBe(`${folder.at("main.yar")}:1`);
    expect(placeIn(text!, "rule inside")).toBe(`${folder.at("part.yar")}:3`);
    expect(placeIn(text!, "rule same_line")).toBe(`${folder.at("main.yar")}:2`);
    expect(placeIn(text!, "rule after")).toBe(`${folder.at("main.yar")}:4`);
  });

  it.each<[string, Record<string, string | Uint8Array>, RegExp]>([
    [
      "a folder without rule files",
      { "a.txt": "" },
      /There are no YARA rules in ".*": no file in it ends in/,
    ],
    [
      "files without rules",
      { "a.yar": "// nothing" },
      /There are no YARA rules in ".*": the files in it hold/,
    ],
    [
      "an include that leads nowhere",
      { "a.yar": '\ninclude "b.yar"' },
      /a\.yar:2: the included file .*b\.yar cannot/,
    ],
    [
      "files that include each other",
      { "a.yar": ruleFor("a", "1"), "b.yar": '\n\ninclude "c.yar"', "c.yar": 'include "b.yar"' },
      /c\.yar:1: .*b\.yar would include itself/,
    ],
    [
      "a file that is not UTF-8",
      { "a.yar": Buffer.from("// a\n// caf\xe9\nrule a { condition: true }", "latin1") },
      /a\.yar cannot be read: line 2 is not UTF-8/,
    ],
  ])("refuses %s in one sentence", async (_, files, words) => {
    using folder = new RuleFolder(files);
    const error = await refusal(folder.path);
    expect(error).toMatchObject({ code: "YARA_RULES_INVALID", message: expect.stringMatching(words) });
    expect((error as Error).message).not.toContain("\n");
  });

  it("refuses a path where nothing is", async () => {
    expect(await refusal("/no/such/rules")).toMatchObject({
      message: expect.stringContaining('"/no/such/rules"'),
    });
  });

  it("has a version that follows what the rules say and not when they were written", async () => {
    using folder = new RuleFolder({ "a.yar": ruleFor("a", "1") });
    const { version } = await readRuleSet(folder.path);
    folder.write("a.yar", ruleFor("a", "1"));
    expect((await readRuleSet(folder.path)).version).toBe(version);
    folder.write("a.yar", ruleFor("a", "2"));
    expect((await readRuleSet(folder.path)).version).not.toBe(version);
  });

  it("is seen to change when a file is written, comes or goes, also one that is included from elsewhere", async () => {
    using elsewhere = new RuleFolder({ "part.yar": ruleFor("a", "1") });
    using folder = new RuleFolder({ "a.yar": ruleFor("a", "1") });
    const others = [elsewhere.at("part.yar")];
    const stamps = [await stampOf(folder.path, others)];
    const changes = [
      () => folder.write("a.yar", ruleFor("a", "longer")),
      () => folder.write("sub/b.yar", ruleFor("b", "1")),
      () => folder.remove("sub/b.yar"),
      () => elsewhere.write("part.yar", ruleFor("a", "longer")),
      () => folder.remove(""),
    ];
    for (const change of changes) {
      change();
      const stamp = await stampOf(folder.path, others);
      expect(stamp).not.toBe(stamps.at(-1));
      expect(await stampOf(folder.path, others)).toBe(stamp);
      stamps.push(stamp);
    }
  });
});
