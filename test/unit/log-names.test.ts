import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/**
 * The names of what is said, read off the sources: the maps of events say which there are, and what is handed to a log or to
 * `tell` is what is said.
 */

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));
const MAPS = [
  "observe/log-names.ts",
  "producer/events/events.ts",
  "market/events.ts",
  "market/onchain/port/events.ts",
  "market/recovery-events.ts",
];

const NAME = /"([a-z]+(?:-[a-z]+)*(?:\.[a-z]+(?:-[a-z]+)*)+)"/g;
/** A call that says something: of a log, whatever its level, or of a function that tells. */
const SAYS = /(?:\blog(?:\??\.(?!child\b)\w+|\[[^\]]*\])|\b#?tell\w*)\(/gi;
/** A name that is put together: `queue.forged-${what}`. */
const COMPOSED = /`([a-z.$\-{}]*\.[a-z.$\-{}]*)`/gi;
/** A file, or a program: nothing that is said. */
const FILE = /\.(?:ts|js|json|sock|wasm)$/;

/** What stands between the parenthesis that ends at `from` and the one that closes it. */
function argumentsAt(text: string, from: number): string {
  let depth = 1;
  let at = from;
  for (; at < text.length && depth > 0; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")") depth--;
  }
  return text.slice(from, at);
}

const namesIn = (text: string): readonly string[] =>
  [...text.matchAll(NAME)].map(([, name]) => name!).filter((name) => !FILE.test(name));

const read = (file: string): string => readFileSync(`${SRC}${file}`, "utf8");

/** The names of a map: its keys, or the members of its unions. */
function mapped(file: string): readonly string[] {
  const text = read(file);
  const of = /^(?:export )?interface \w+(?: extends \w+)? \{$(.*?)^\}$/ms.exec(text)?.[1] ?? text;
  return namesIn(of.replaceAll(/^\s*(?:\/\*|\*|\/\/).*$/gm, ""));
}

const said = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && file !== "observe/log-names.ts")
  .flatMap((file) => {
    const text = read(file).replaceAll(/^\s*(?:\/\*|\*|\/\/).*$/gm, "");
    return [...text.matchAll(SAYS)].map((call) => argumentsAt(text, call.index + call[0].length));
  });
const names = new Set(said.flatMap(namesIn));
const composed = said.flatMap((text) =>
  [...text.matchAll(COMPOSED)].map(
    ([, name]) => new RegExp(`^${name!.replaceAll(".", "\\.").replaceAll(/\$\{\w+\}/g, "[a-z-]+")}$`),
  ),
);
const isComposed = (name: string): boolean => composed.some((pattern) => pattern.test(name));

describe("the names of what a process says", () => {
  it("are each said somewhere", () => {
    const all = MAPS.flatMap(mapped);
    expect(all.length).toBeGreaterThan(130);
    expect(all.filter((name) => !names.has(name) && !isComposed(name))).toEqual([]);
  });

  it("are all in the map of a process", () => {
    const known = new Set(MAPS.flatMap(mapped));
    expect(names.size).toBeGreaterThan(130);
    expect([...names].filter((name) => !known.has(name))).toEqual([]);
  });

  it("are in one map each", () => {
    const all = MAPS.flatMap(mapped);
    expect(all.filter((name, index) => all.indexOf(name) !== index)).toEqual([]);
  });
});
