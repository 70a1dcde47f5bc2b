import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const SRC = new URL("../../src/", import.meta.url);
const PAGE = readFileSync(new URL("../../docs/ARCHITECTURE.md", import.meta.url), "utf8");

/** One call from a file into another, on the road of one bounty. */
interface Hop {
  readonly step: string;
  readonly from: string;
  readonly to: string;
  /** Into a file that it imports; else of what was handed to it. */
  readonly imported: boolean;
}

/** The hops that docs/ARCHITECTURE.md draws, in their order. */
function hopsOf(page: string): readonly Hop[] {
  const section = /^## The road of one bounty$([\s\S]*?)^## /m.exec(page)?.[1] ?? "";
  let step = "";
  return section.split("\n").flatMap((line): readonly Hop[] => {
    const [, name = "", road] = /^ {4}(\w*) +(\S+\.ts .*)$/.exec(line) ?? [];
    if (road === undefined) return [];
    step = name || step;
    const words = road.trim().split(" ");
    return words.flatMap((word, at) =>
      word === "→" || word === "⇢"
        ? [{ step, from: words[at - 1]!, to: words[at + 1]!, imported: word === "→" }]
        : [],
    );
  });
}

const hops = hopsOf(PAGE);

/** Whether one file imports more than types of another. */
function imports(from: string, to: string): boolean {
  const text = readFileSync(new URL(from, SRC), "utf8");
  const statements = text.matchAll(/^import (?!type )([^;]*?)from "(\.[^"]+)";|import\(\s*"(\.[^"]+)"/gm);
  const target = new URL(to, SRC).href;
  return [...statements].some(([, names = "all", specifier, later]) => {
    const onlyTypes = names
      .replaceAll(/[{}\s]/g, "")
      .split(",")
      .filter(Boolean)
      .every((name) => name.startsWith("type"));
    return !onlyTypes && new URL((specifier ?? later)!, new URL(from, SRC)).href === target;
  });
}

describe("the road of one bounty", () => {
  it("is at most seventy hops between files, from the event to the settlement", () => {
    expect(hops.length).toBeGreaterThan(50);
    expect(hops.length).toBeLessThanOrEqual(70);
    expect(new Set(hops.map(({ step }) => step))).toEqual(
      new Set([
        ...["heard", "seen", "triaged", "scanned", "consumed", "distilled", "planned"],
        ...["posted", "published", "revealed", "settled"],
      ]),
    );
  });

  it("leads through files that are there, by imports that are there", () => {
    const files = [...new Set(hops.flatMap(({ from, to }) => [from, to]))];
    expect(files.filter((file) => !existsSync(new URL(file, SRC)))).toEqual([]);
    const wrong = hops.filter(({ from, to, imported }) => imports(from, to) !== imported);
    expect(wrong.map(({ from, to }) => `${from} > ${to}`)).toEqual([]);
  });

  it("enters no file more than three times for one step", () => {
    const entered = Map.groupBy(hops, ({ step, to }) => `${step} ${to}`);
    expect([...entered].filter(([, all]) => all.length > 3).map(([name]) => name)).toEqual([]);
  });
});
