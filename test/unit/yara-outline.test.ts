import { describe, expect, it } from "vitest";
import { outlineOf } from "../../src/scanners/yara/outline.ts";

const names = (text: string) => outlineOf(text).rules.map(({ name }) => name);

describe("the outline of a rule file", () => {
  it("has every rule by its name, and which of them are global", () => {
    const text = `import "pe"
rule plain { condition: true }
private rule hidden : tag { condition: true }
global private rule frame { condition: true }
private
global /* both */ rule other { condition: true } rule last{condition:plain}`;
    expect(outlineOf(text).rules).toEqual([
      { name: "plain", global: false },
      { name: "hidden", global: false },
      { name: "frame", global: true },
      { name: "other", global: true },
      { name: "last", global: false },
    ]);
  });

  it.each([
    ["a line comment", `// rule no { }\nrule yes { condition: true }`],
    ["a block comment", `/* rule no { }\nrule no2 {} */ rule yes { condition: true }`],
    ["a text", `rule yes { strings: $a = "rule no { \\" rule no2 {" condition: $a }`],
    ["a regular expression", `rule yes { strings: $a = /"rule no\\/ rule no2/ condition: $a }`],
    ["hex with a comment", `rule yes { strings: $a = { 4d 5a /* rule no */ [2-4] 00 } condition: $a }`],
    ["the name of a pattern", `rule yes { strings: $rule = "no" condition: $rule and true }`],
  ])("takes nothing for a rule that stands in %s", (_, text) => {
    expect(names(text)).toEqual(["yes"]);
  });

  it("sees rules behind a text with a slash pair and an expression with a quote", () => {
    const text = `rule a { strings: $a = "http://x" $b = /x"y/ condition: any of them } rule b { condition: a }`;
    expect(names(text)).toEqual(["a", "b"]);
  });

  it("has the includes with their places, and none from comments", () => {
    const text = `include "a.yar"\n// include "no.yar"\n  include\t"../b c.yar" rule x { condition: true }`;
    const { includes } = outlineOf(text);
    expect(includes.map(({ path }) => path)).toEqual(["a.yar", "../b c.yar"]);
    expect(includes.map(({ start, end }) => text.slice(start, end))).toEqual([
      'include "a.yar"',
      'include\t"../b c.yar"',
    ]);
  });

  it("comes to an end with a file that does not", () => {
    expect(names(`rule a { condition: true } /* rule no`)).toEqual(["a"]);
    expect(names(`rule a { strings: $a = "open\n condition: $a } rule b {`)).toEqual(["a", "b"]);
  });
});
