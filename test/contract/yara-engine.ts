import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CompileRules, EXTERNALS, type Externals } from "../../src/scanners/yara/engine.ts";
import { readRuleSet } from "../../src/scanners/yara/rules.ts";
import { RuleFolder, ruleFor } from "../fixtures/rule-folder.ts";

export const externals = (set: Partial<Externals> = {}): Externals => ({
  ...(Object.fromEntries(EXTERNALS.map((name) => [name, ""])) as Externals),
  ...set,
});

/** The rules of some files, compiled. */
export async function compiled(compile: CompileRules, files: Readonly<Record<string, string>>) {
  using folder = new RuleFolder(files);
  return compile((await readRuleSet(folder.path)).texts);
}

const MODULES = [
  "pe",
  "elf",
  "math",
  "hash",
  "dotnet",
  "macho",
  "lnk",
  "time",
  "string",
  "console",
  "cuckoo",
];

/** What every engine promises, whatever it is made of. */
export function describeRuleEngine(kind: string, compile: CompileRules): void {
  const open = (files: Readonly<Record<string, string>>) => compiled(compile, files);
  const scan = async (text: string, content: string | Uint8Array, set: Partial<Externals> = {}) => {
    using engine = await open({ "a.yar": text });
    return engine.scan(Buffer.from(content), externals(set)).map(({ rule }) => rule);
  };

  describe(`the ${kind} engine`, () => {
    it("reports each rule that matches, with its file, tags and metadata, the last of two values of one key", async () => {
      using engine = await open({
        "sub/a.yar": `rule yes : t1 t2 { meta: family = "A" family = "B" n = 5 x = 0.25 strings: $a = "evil" condition: $a }
          ${ruleFor("no", "good")}`,
      });
      expect(engine.scan(Buffer.from("so evil"), externals())).toEqual([
        { rule: "yes", namespace: "sub/a.yar", tags: ["t1", "t2"], meta: { family: "B", n: 5, x: 0.25 } },
      ]);
      expect(engine.scan(new Uint8Array(), externals())).toEqual([]);
    });

    it("scans a view into a larger buffer, and only that", async () => {
      const buffer = Buffer.from("evil and more evil");
      expect(await scan(ruleFor("evil", "evil"), buffer.subarray(4, 14))).toEqual([]);
      expect(await scan(ruleFor("evil", "evil"), buffer.subarray(4))).toEqual(["evil"]);
    });

    it("keeps private and global rules to itself", async () => {
      const rules = `global rule frame { condition: filesize > 2 } private rule part { condition: filesize > 3 }
        rule whole { condition: part }`;
      expect(await scan(rules, "12")).toEqual([]);
      expect(await scan(rules, "123")).toEqual([]);
      expect(await scan(rules, "1234")).toEqual(["whole"]);
    });

    it("lets a global rule hold in its own file only", async () => {
      using engine = await open({
        "a.yar": `global rule never { condition: filesize == 0 } ${ruleFor("a", "x")}`,
        "b.yar": ruleFor("b", "x"),
      });
      expect(engine.scan(Buffer.from("x"), externals()).map(({ rule }) => rule)).toEqual(["b"]);
    });

    it("tells rules of one name in several files apart", async () => {
      using engine = await open({
        "a.yar": ruleFor("same", "one"),
        "b.yar": ruleFor("same", "two"),
        "c.yar": `private rule same { condition: true } rule other { condition: same }`,
      });
      const found = engine.scan(Buffer.from("two"), externals());
      expect(found.map(({ namespace, rule }) => `${namespace} ${rule}`).toSorted()).toEqual([
        "b.yar same",
        "c.yar other",
      ]);
    });

    it.each([
      [
        "a pattern that is not there",
        { "a.yar": ruleFor("a", "1"), "b.yar": "\nrule b {\n condition: $x }" },
        "b.yar:3",
      ],
      ["what is no rule", { "a.yar": "\n\nhello\n", "b.yar": ruleFor("b", "1") }, "a.yar:3"],
      [
        "a variable that is not there",
        { "z.yar": ruleFor("a", "1"), "b.yar": "rule a { condition: nobody }" },
        "b.yar:1",
      ],
      [
        "a fault in an included file",
        { "a.yar": `${ruleFor("a", "1")}include "lib/p.yar"`, "lib/p.yar": "\n\n\nrule p { condition: zz }" },
        "lib/p.yar:4",
      ],
      [
        "a fault behind an include",
        { "a.yar": 'include "lib/p.yar"\n\nrule p { condition: zz }', "lib/p.yar": "\n\n\n\n" },
        "a.yar:3",
      ],
      ["a module that is not there", { "a.yar": `\nimport "no_such"\n${ruleFor("a", "1")}` }, "a.yar:2"],
      ["a rule that is there twice", { "a.yar": `${ruleFor("a", "1")}\n${ruleFor("a", "2")}` }, "a.yar:3"],
    ])("names file and line of %s, in one line", async (_, files, place) => {
      const error: unknown = await open({ ...files } as Record<string, string>).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        code: "YARA_RULES_INVALID",
        message: expect.stringContaining(`/${place}: `),
      });
      expect((error as Error).message).not.toContain("\n");
    });

    it.each([
      ["a comment", `${ruleFor("a", "1")} /* open`],
      ["a rule", 'rule a { strings: $a = "1" condition: $a'],
      ["a pattern", "rule a { strings: $a = { 31 32"],
    ])("does not let a file that leaves %s open swallow rules of the next", async (_, first) => {
      const files = { "a.yar": first, "b.yar": `} ${ruleFor("b", "1")} /* */ ${ruleFor("c", "1")}` };
      await expect(open(files)).rejects.toThrow("/a.yar:");
    });

    it("finds what a rule matches that has a number beyond all counting in its metadata", async () => {
      const rule = (value: string): string =>
        `rule a { meta: n = ${value} s = "n = 9007199254740993" condition: true }`;
      for (const value of [
        "9007199254740993",
        "-9223372036854775807",
        "0x7fffffffffffffff",
        "9007199254740991",
      ])
        expect(await scan(rule(value), "x"), value).toEqual(["a"]);
      using engine = await open({ "a.yar": rule("9007199254740993") });
      expect(engine.scan(Buffer.from("x"), externals())[0]!.meta.s).toBe("n = 9007199254740993");
    });

    it.each(MODULES)("has the module %s", async (module) => {
      expect(await scan(`import "${module}" rule a { condition: true }`, "")).toEqual(["a"]);
    });

    it("defines the variables that public rules expect, empty when nothing is known", async () => {
      const rules = EXTERNALS.map((name) => `rule ${name}_empty { condition: ${name} == "" }`).join("\n");
      expect(await scan(rules, "")).toEqual(EXTERNALS.map((name) => `${name}_empty`));
      const named = `rule exe { condition: filename matches /invoice.*\\.exe$/ and extension == ".exe" }`;
      expect(await scan(named, "", { filename: "invoice 7.exe", extension: ".exe" })).toEqual(["exe"]);
    });

    it.each(["123", "1.5", "-1e9", "true", "False", "inf", "\u0000", "é\ud800", ""])(
      "takes %j for a file's name, and forgets it with the scan",
      async (filename) => {
        using engine = await open({ "a.yar": `rule a { condition: filename == "a.exe" }` });
        expect(engine.scan(Buffer.from("x"), externals({ filename: "a.exe" }))).toHaveLength(1);
        expect(engine.scan(Buffer.from("x"), externals({ filename }))).toEqual([]);
        expect(engine.scan(Buffer.from("x"), externals())).toEqual([]);
      },
    );

    it("counts a thousand matches of a pattern and no more, so that a file of one letter does not keep it busy", async () => {
      const rules = `rule many { strings: $a = "a" condition: #a == 1000 } rule more { strings: $a = "a" condition: #a > 1000 }`;
      expect(await scan(rules, Buffer.alloc(1_000_000, "a"))).toEqual(["many"]);
    });
  });
}

/** Both of two engines, asked about the same random files. */
export function describeAgreement(one: CompileRules, other: CompileRules): void {
  it("engines find the same, whatever the file", async () => {
    const words = ["evil", "MZ", "\x7fELF", "abcd", "http://x.io/", "\0\0\0\0"];
    const files = {
      "a.yar": `import "math"
        rule text { strings: $a = "EVIL" nocase wide ascii condition: $a }
        rule regex { strings: $a = /https?:\\/\\/[a-z.]{2,20}\\// condition: $a }
        rule hex { strings: $a = { 4d 5a [0-8] 61 (62 | 63) } condition: $a at 0 or #a > 1 }
        rule entropy { condition: filesize > 0 and math.entropy(0, filesize) > 2.5 }`,
      "b.yar": `global rule small { condition: filesize < 60 } rule text { condition: uint32be(0) == 0x7f454c46 }`,
    };
    using first = await compiled(one, files);
    using second = await compiled(other, files);
    const content = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 5 })), {
      maxLength: 12,
    });
    const found = (engine: typeof first, bytes: Buffer) =>
      engine
        .scan(bytes, externals())
        .map(({ namespace, rule }) => `${namespace} ${rule}`)
        .toSorted();
    fc.assert(
      fc.property(content, (parts) => {
        const bytes = Buffer.from(parts.join(""), "latin1");
        expect(found(first, bytes)).toEqual(found(second, bytes));
      }),
      { numRuns: 60 },
    );
  });
}
