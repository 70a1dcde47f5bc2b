import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = new URL("../../src/", import.meta.url);
const comments = /\/\*[\s\S]*?\*\/|\/\/.*$/gm;

/** The text between the parenthesis at `open` and its partner, and what follows that. */
function inParentheses(text: string, open: number): { readonly inside: string; readonly rest: string } {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if ("([{".includes(text[at]!)) depth++;
    if (")]}".includes(text[at]!)) depth--;
    if (depth === 0) return { inside: text.slice(open + 1, at), rest: text.slice(at + 1) };
  }
  return { inside: "", rest: "" };
}

/** Arguments on their own level: commas within brackets part nothing. */
function argumentsOf(inside: string): string[] {
  const found = [""];
  let depth = 0;
  for (const char of inside) {
    if ("([{".includes(char)) depth++;
    if (")]}".includes(char)) depth--;
    if (char === "," && depth === 0) found.push("");
    else found[found.length - 1] += char;
  }
  return found.map((argument) => argument.trim());
}

/**
 * Calls that spread a list into their arguments. A function that passes on the arguments it was given itself
 * (`(...args) => inner(...args)`) cannot have more of them than its caller had.
 */
function spreadsIn(source: string): string[] {
  const text = source.replace(comments, "");
  const own = new Set<string>();
  const calls: string[] = [];
  for (const { 0: head, index } of text.matchAll(/[\w$\])>]\(/g)) {
    const { inside, rest } = inParentheses(text, index + head.length - 1);
    const [spread] = argumentsOf(inside).filter((argument) => argument.startsWith("..."));
    if (spread === undefined) continue;
    if (/^\s*(?:\{|=>|:\s)/.test(rest)) own.add(spread.replace(/^\.\.\.(\w*)[\s\S]*/, "$1"));
    else calls.push(spread);
  }
  for (const [, name] of text.matchAll(
    /[(,]\s*\.\.\.(\w+|\[[\w, ]+\])\s*(?::[^)]*)?\)\s*(?::[^=;{]*)?(?:=>|\{)/g,
  ))
    own.add(name!);
  return calls.filter((spread) => !own.has(spread.slice(3)));
}

describe("a list of unknown length as arguments", () => {
  it.each([
    ["list.push(...others)", ["...others"]],
    [
      "const most = Math.max(\n  0,\n  ...rows.map((row) => row.length),\n);",
      ["...rows.map((row) => row.length)"],
    ],
    ["new Thing(...all)", ["...all"]],
    ["const both = [...some, ...more]; call({ ...options }); call([...list]);", []],
    ["const pass = (...args: string[]) => inner(...args);", []],
    ["run(sql: string, ...values: Value[]): number {\n  return this.all(...values);\n}", []],
  ])("is seen in %j", (source, found) => expect(spreadsIn(source)).toEqual(found));

  /** As many as there are states, or windows of a rate limit. */
  const FEW = [
    "ledger/sqlite/bounty-table.ts: ...states",
    "ledger/read/money.ts: ...states",
    "redis/rate-counters.ts: ...windows",
  ];

  it("is nowhere in src: a hundred thousand of them overflow the stack", () => {
    const modules = globSync("**/*.ts", { cwd: fileURLToPath(SRC) });
    const found = modules.flatMap((module) =>
      spreadsIn(readFileSync(new URL(module, SRC), "utf8")).map((spread) => `${module}: ${spread}`),
    );
    expect(found.filter((call) => !FEW.includes(call))).toEqual([]);
  });
});
