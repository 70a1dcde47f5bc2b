import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CAVEATS } from "../../src/domain/caveat.ts";
import { ABANDON_REASONS } from "../../src/domain/lifecycle.ts";
import { NO_OPINION_REASONS } from "../../src/domain/scan.ts";
import type { ProducerEvents } from "../../src/producer/events/events.ts";

const ROOT = new URL("../../", import.meta.url);
const SRC = fileURLToPath(new URL("src/", ROOT));

const sources = globSync("**/*.ts", { cwd: SRC }).map((path) => readFileSync(`${SRC}${path}`, "utf8"));

/** Every class that is a Fault, with the code that it gives to each; without one where its makers name the code. */
function faultClasses(texts: readonly string[]): ReadonlyMap<string, string | undefined> {
  const declared = texts.flatMap((text) =>
    [...text.matchAll(/class (\w+) extends (\w+) \{([\s\S]*?)\n\}/g)].map(
      ([, name = "", parent = "", body = ""]) => ({ name, parent, body }),
    ),
  );
  const found = new Map<string, string | undefined>([["Fault", undefined]]);
  for (let size = 0; size < found.size; ) {
    size = found.size;
    for (const { name, parent, body } of declared) {
      if (!found.has(parent) || found.has(name)) continue;
      found.set(name, /\bsuper\(\s*"([A-Z0-9_]+)"/.exec(body)?.[1] ?? found.get(parent));
    }
  }
  return found;
}

/** Where the code is no literal, and which literals it can be. */
const PASSED_ON: Readonly<Record<string, RegExp>> = {
  // A setting that names a file with a secret: its variable is the code.
  "file.env": /\bwhat: "[^"]+", flag: "[^"]+", env: "([A-Z_]+)"/g,
  env: /\bwhat: "[^"]+", flag: "[^"]+", env: "([A-Z_]+)"/g,
  // A worker's fault, by its own code where it has one.
  code: /\bcode: fault\?\.code \?\? "([A-Z_]+)"/g,
};

/** The codes of all faults that are made somewhere, and what was given instead of a code and is not understood. */
function codesIn(texts: readonly string[]): {
  readonly codes: readonly string[];
  readonly strange: readonly string[];
} {
  const classes = faultClasses(texts);
  const codes = new Set([...classes.values()].filter((code) => code !== undefined));
  const strange: string[] = [];
  for (const [, name = "", given = ""] of texts.flatMap((text) => [
    ...text.matchAll(/\bnew (\w+)\(\s*("[^"]*"|[^,()]*)/g),
  ])) {
    if (!classes.has(name) || classes.get(name) !== undefined) continue;
    const passed = PASSED_ON[given.trim()];
    if (given.startsWith('"')) codes.add(given.slice(1, -1));
    else if (passed === undefined) strange.push(`new ${name}(${given}`);
    else for (const [, code] of texts.join("\n").matchAll(passed)) codes.add(code!);
  }
  return { codes: [...codes].toSorted(), strange };
}

interface Section {
  readonly title: string;
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Sections of the page that have a table, and what each table's first column names. */
const sections: readonly Section[] = readFileSync(new URL("docs/faults.md", ROOT), "utf8")
  .split(/^#{1,2} /m)
  .flatMap((text) => {
    const rows = text
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) => line.slice(2, -2).split(" | "));
    const names = rows.map(([name = ""]) => name.slice(1, -1));
    return rows.length === 0 ? [] : [{ title: text.split("\n", 1)[0]!, names, rows }];
  });

const ofCodes = sections.filter(({ rows }) => rows[0]!.length === 4);
const reasonsUnder = (title: string): readonly string[] =>
  sections.find((section) => section.title === title)?.names ?? [];

describe("docs/faults.md, the codes", () => {
  const { codes, strange } = codesIn(sources);

  it("understands where each fault in the source has its code from", () => {
    expect(strange).toEqual([]);
    expect(codes.length).toBeGreaterThan(100);
  });

  it("finds codes that are literals, a class's own, a secret file's variable and a worker's", () => {
    expect(codes).toEqual(expect.arrayContaining(["WALLET_HELD", "RPC_REFUSED", "MARKET_RATE_LIMITED"]));
    expect(codes).toEqual(expect.arrayContaining(["PASSWORD_FILE", "QUEUE_SECRET_FILE"]));
    expect(codes).toContain("BACKEND_SETUP_FAILED");
  });

  it("tells of a fault whose code it cannot read", () => {
    expect(codesIn(['throw new Fault(someCode(), "");']).strange).toEqual(["new Fault(someCode"]);
  });

  it("has an entry for every code that a user can meet, none that does not exist, and each once", () => {
    expect(ofCodes.flatMap(({ names }) => names).toSorted()).toEqual(codes);
  });

  it.each(ofCodes.map(({ title, names }) => [title, names] as const))("has them in order: %s", (_, names) => {
    expect(names).toEqual(names.toSorted());
  });

  it("says of each what happened, what to do and where", () => {
    const short = ofCodes.flatMap(({ rows }) =>
      rows.filter((row) => row.length !== 4 || row.some((cell) => cell.trim() === "")),
    );
    expect(short).toEqual([]);
  });
});

/** Types alone: the compiler holds these complete, in both directions. */
const BOUNTY_SKIPS: Readonly<Record<ProducerEvents["bounty.skipped"]["why"], true>> = {
  "wrong-kind": true,
  deprecated: true,
  "stop-loss": true,
  "lease-lost": true,
  "too-many": true,
  "no-address": true,
};
const ARTIFACT_SKIPS: Readonly<Record<ProducerEvents["artifact.skipped"]["why"], true>> = {
  "wrong-kind": true,
  filtered: true,
  "too-large": true,
  "type-not-accepted": true,
  "routed-nowhere": true,
  empty: true,
  unreadable: true,
  "rate-limited": true,
};

it.each([
  ["Why a bounty was abandoned", ABANDON_REASONS],
  ["Why a bounty was skipped", Object.keys(BOUNTY_SKIPS)],
  ["Why an artifact was skipped", Object.keys(ARTIFACT_SKIPS)],
  ["Why a backend has no opinion", NO_OPINION_REASONS],
  ["Why an artifact cannot be seen through", CAVEATS],
] as const)("docs/faults.md has every reason, and no other: %s", (title, reasons) => {
  expect(reasonsUnder(title)).toEqual([...reasons].toSorted());
});
