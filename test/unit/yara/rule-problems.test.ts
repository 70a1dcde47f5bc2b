import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { zipOf } from "../../../src/sandbox/samples/archives.ts";
import { compileRules } from "../../../src/scanners/yara/compile.ts";
import { EXTERNALS, type Externals } from "../../../src/scanners/yara/engine.ts";
import { leadingDotsIn } from "../../../src/scanners/yara/leading-dots.ts";
import { outlineOf } from "../../../src/scanners/yara/outline.ts";
import { BrokenRules, NAMED_AT_ONCE } from "../../../src/scanners/yara/problem.ts";
import { readRuleSet, readRules } from "../../../src/scanners/yara/rules.ts";
import { RuleFolder, ruleFor } from "../../fixtures/rule-folder.ts";

const NOTHING = Object.fromEntries(EXTERNALS.map((name) => [name, ""])) as Externals;

/** The message of what the set is refused with. */
async function refusal(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  using folder = new RuleFolder(files);
  try {
    const { engine } = await compileRules((await readRuleSet(folder.path)).texts);
    engine[Symbol.dispose]();
  } catch (error) {
    expect(error).toBeInstanceOf(BrokenRules);
    return (error as BrokenRules).message.replaceAll(`${folder.path}/`, "");
  }
  throw new Error("nothing was refused");
}

describe("a rule file of any length", () => {
  it("is read when it has more lines than a call takes arguments", async () => {
    using folder = new RuleFolder({
      "full.yar": `${"// filler\n".repeat(150_000)}${ruleFor("one", "needle")}`,
    });
    const { texts } = await readRuleSet(folder.path);
    using engine = (await compileRules(texts)).engine;
    expect(engine.scan(Buffer.from("a needle"), NOTHING).map(({ rule }) => rule)).toEqual(["one"]);
  });

  it("is read when one comment, one text or one expression of it is megabytes long", () => {
    const long = "x".repeat(8_000_000);
    const text = `/* ${long} */ rule a { strings: $a = "${long}" $b = /${long}/ condition: any of them } rule b { condition: a }`;
    expect(outlineOf(text).rules.map(({ name }) => name)).toEqual(["a", "b"]);
  });
});

describe("rules that do not compile", () => {
  const BROKEN = {
    "a.yar": "rule plugx { strings: $d = /\\\\AppData\\\\[0-9]{2,4}\\VMware\\.exe/ condition: $d }",
    "b.yar": "rule er { strings: $g = /BADD|Bad Error|/ condition: $g }",
    "c.yar": 'import "magic"\nrule m { condition: magic.mime_type() == "application/pdf" }',
    "ok.yar": 'rule ok { strings: $a = "powershell" nocase condition: $a }',
  };

  it("are named all, each with its file and line", async () => {
    const message = await refusal(BROKEN);
    for (const place of ["a.yar:1: ", "b.yar:1: ", "c.yar:1: ", "c.yar:2: "])
      expect(message).toContain(place);
    expect(message).not.toContain("ok.yar");
  });

  it("are named together with a file that is not UTF-8", async () => {
    using folder = new RuleFolder({
      "latin.yar": Buffer.from("// author: J\xfcrgen\nrule l { condition: true }", "latin1"),
      ...BROKEN,
    });
    const { set, problems } = await readRules(folder.path);
    expect(problems.map(({ text }) => text)).toEqual([
      expect.stringMatching(/latin\.yar cannot be read: line 1 is not UTF-8/),
    ]);
    const { texts, skipped } = await compileRules(set.texts, { onBroken: "skip" });
    expect(skipped.map(({ text }) => text.split("/").at(-1)!.split(": ")[0])).toEqual(
      expect.arrayContaining(["a.yar:1", "b.yar:1", "c.yar:1", "c.yar:2"]),
    );
    expect(texts.flatMap(({ rules }) => rules.map(({ name }) => name))).toEqual(["ok"]);
  });

  it("are counted when they are too many for one sentence", async () => {
    const bad = Array.from({ length: NAMED_AT_ONCE + 5 }, (_, at) => `rule r${at} { condition: $x }\n`);
    expect(await refusal({ "a.yar": bad.join("") })).toMatch(
      /have 25 faults: .*; and 5 more, which the log names\.$/,
    );
  });

  it("can be left out one by one, with what depends on them, and the rest of their file is used", async () => {
    using folder = new RuleFolder({
      "one.yar": `import "no_such" rule first { strings: $a = "needle" condition: $a } rule bad { condition: $x }
        private rule hidden { condition: bad } global private rule frame { condition: filesize > 0 }
        rule after : tag { strings: $a = "needle" condition: $a } // "rule no"`,
      "words.yar": "this is no rule at all",
      "twice.yar": `${ruleFor("same", "needle")}${ruleFor("same", "other")}`,
    });
    const { texts } = await readRuleSet(folder.path);
    const { engine, skipped } = await compileRules(texts, { onBroken: "skip" });
    using used = engine;
    const found = used.scan(Buffer.from("a needle"), NOTHING).map(({ rule }) => rule);
    expect(found.toSorted()).toEqual(["after", "first", "same"]);
    expect(skipped.map(({ text }) => text).join("\n")).toMatch(/one\.yar:2: unknown identifier `bad`/);
  });

  it("refuse the set, left out or not, when nothing is left", async () => {
    using folder = new RuleFolder({ "a.yar": "rule bad { condition: $x }" });
    const { texts } = await readRuleSet(folder.path);
    await expect(compileRules(texts, { onBroken: "skip" })).rejects.toThrow(/a\.yar:1: unknown pattern/);
  });
});

describe("a file that is given as rules and is something else", () => {
  it.each<[string, string | Uint8Array, string]>([
    ["a zip archive", zipOf([{ name: "a.yar", content: Buffer.from(ruleFor("a", "1")) }]), "a zip archive"],
    ["a compressed file", gzipSync(ruleFor("a", "1")), "compressed by gzip"],
    ["a web page", "\n<!DOCTYPE html>\n<html><body>rule a { condition: true }</body></html>", "an HTML page"],
    ["a program", Buffer.from("MZ\x90\0\x03\0\0\0", "latin1"), "a Windows program"],
    ["any binary", Buffer.from([1, 2, 3, 0, 4]), "not text but binary"],
    [
      "rules that YARA has compiled",
      Buffer.from("YARA\x21\0\0\0rule", "latin1"),
      "rules that YARA has compiled",
    ],
    [
      "rules that YARA-X has compiled",
      Buffer.from("YARA-X\0\0\x01", "latin1"),
      "rules that YARA-X has compiled",
    ],
    ["JSON", '{ "rules": ["rule a"] }', "JSON"],
    [
      "a Sigma rule",
      "title: Whoami\nid: 1\nlogsource:\n  product: windows\ndetection:\n  selection:\n    Image: x\n  condition: selection\n",
      "a Sigma rule",
    ],
    [
      "a Suricata rule",
      'alert http $HOME_NET any -> any any (msg:"rule x"; content:"evil"; sid:1;)\n',
      "a rule of Suricata or Snort",
    ],
    [
      "a pointer of Git LFS",
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
      "a pointer of Git LFS",
    ],
  ])("is named for what it is: %s", async (_, content, what) => {
    const message = await refusal({ "x.yar": content, "ok.yar": ruleFor("ok", "1") });
    expect(message).toContain(`The rule file x.yar cannot be read: it is ${what}`);
    expect(message).not.toContain("ok.yar");
  });

  it("is named when it is empty", async () => {
    using folder = new RuleFolder({ "rules.txt": " \n" });
    await expect(readRuleSet(folder.at("rules.txt"))).rejects.toThrow(
      /There are no YARA rules in ".*": the file is empty/,
    );
    expect(await refusal({ "a.yar": "", "b.yar": "\n" })).toMatch(/the files in it are empty/);
  });

  it.each([
    ["a comment in front", `# no comment of YARA's\n${ruleFor("a", "1")}`],
    ["braces and brackets", `/* { "json": [1] } <html> */ ${ruleFor("a", "1")}`],
    ["a rule that is called alert", ruleFor("alert", "1")],
    ["a name in its first comment", `// MZ\n${ruleFor("MZ", "1")}`],
  ])("is not seen in rules with %s", async (_, content) => {
    using folder = new RuleFolder({ "a.yar": content });
    expect((await readRuleSet(folder.path)).texts[0]?.rules).toHaveLength(1);
  });

  it("is read when it is UTF-16 with its mark", async () => {
    const text = ruleFor("wide", "n\u00e4dle");
    const little = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);
    using folder = new RuleFolder({ "a.yar": little, "b.yar": Buffer.from(little).swap16() });
    const { texts } = await readRuleSet(folder.path);
    expect(texts.map((each) => each.text.trim())).toEqual([text.trim(), text.trim()]);
  });
});

describe("a pattern that begins with any number of anything", () => {
  const warned = async (text: string): Promise<readonly string[]> => {
    using folder = new RuleFolder({ "a.yar": text });
    return leadingDotsIn((await readRuleSet(folder.path)).texts).map((each) => each.replace(folder.path, ""));
  };

  it("is told with file, line and rule", async () => {
    const text = `${ruleFor("other", "x")}\nrule lead {\n strings: $a = /.*powershell/ condition: $a }`;
    expect(await warned(text)).toEqual([
      expect.stringMatching(/^\/a\.yar:4: rule lead: .*\/\.\*powershell\//),
    ]);
  });

  it.each([
    "/.*x/",
    "/.*?x/",
    "/.?x/",
    "/.{0,5}x/",
    "/.{,5}x/",
    "/(.*)x/",
    "/.*x/i",
    "/[^\\n]*x/",
    "/.{0,5}x.*/",
    "/(?:.*)x/",
    "/(?s).*x/",
    "/((.*)x)/",
    "/[\\s\\S]*x/",
    "/[\\x00-\\xFF]*x/",
    "/.*(x|[|)]|\\|)y/",
  ])("is seen in %s", async (pattern) => {
    expect(await warned(`rule a { strings: $a = ${pattern} condition: $a }`)).toHaveLength(1);
  });

  it.each([
    "/.+x/",
    "/.{1,5}x/",
    "/x.*/",
    "/\\.*x/",
    "/a*x/",
    "/[a-z]*x/",
    '"/.*x/"',
    "/(.*)?x/",
    "/(.*|y)x/",
    "/.*x|y/",
    "/[^\\r\\n]*x/",
  ])("is not seen in %s", async (pattern) => {
    expect(await warned(`rule a { strings: $a = ${pattern} condition: $a } // = /.*x/`)).toEqual([]);
  });

  it("is not seen where a text is compared, which is matched as it stands", async () => {
    expect(await warned("rule a { condition: filename matches /.*x/ }")).toEqual([]);
  });
});
