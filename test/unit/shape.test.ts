import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { measuresOf } from "../../scripts/shape/measures.ts";
import { report } from "../../scripts/shape/report.ts";
import { measureRepository } from "../../scripts/shape/repository.ts";
import { readTree } from "../../scripts/shape/tree.ts";

const root = mkdtempSync(join(tmpdir(), "shape-"));
afterAll(() => rmSync(root, { recursive: true }));

/** The measures of a tree of these files, by name. */
function measured(files: Readonly<Record<string, string>>, imports: readonly string[] = []) {
  const folder = mkdtempSync(join(root, "tree-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const beside = imports.map((to) => ({ from: "../test/a.test.ts", to, names: "all" as const }));
  const measures = measuresOf(readTree(folder), { imports: beside, entries: ["open.ts"] });
  return (name: string) => measures.find((measure) => measure.name === name)!;
}
const lines = (count: number): string => "//\n".repeat(count);
const many = (folder: string, count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${folder}/f${index}.ts`, ""]));

describe("the shape of a tree", () => {
  it("is its files and lines, and the files that are too long", () => {
    const of = measured({ "a.ts": lines(10), "b.ts": lines(20), "long.ts": lines(401) });
    expect([of("files").figures, of("lines").figures]).toEqual(["3", "431"]);
    expect(of("file-lines")).toMatchObject({
      figures: "median 20, p90 401, max 401",
      offenders: ["long.ts 401"],
    });
  });

  it("has folders of 15 files, and 25 where the files are a list", () => {
    const of = measured({
      ...many("room", 16),
      ...many("room/inner", 15),
      ...many("domain", 25),
      ...many("config", 26),
    });
    expect(of("folders").offenders).toEqual(["config 26", "room 16"]);
  });

  it("has cycles between files and between folders, types included, of two and more", () => {
    const of = measured({
      "a/x.ts": 'import type { Y } from "../b/y.ts";\nexport type X = Y;',
      "a/other.ts": 'import { z } from "./x.ts";',
      "b/y.ts": 'export type Y = 1;\nexport { z } from "./z.ts";',
      "b/z.ts": 'const z = () => import("../c/one.ts");\nexport { z };',
      "c/one.ts": 'import type { X } from "../a/x.ts";\nimport { two } from "./two.ts";',
      "c/two.ts": 'import "./one.ts";\nexport const two = 2;',
      "d/alone.ts": 'import { two } from "../c/two.ts";',
      "e/p.ts": 'import "../f/q.ts";',
      "f/q.ts": "",
      "f/r.ts": 'export let s: import("../e/p.ts").P;',
    });
    expect(of("cycles").offenders).toEqual(["a/x.ts, b/y.ts, b/z.ts, c/one.ts, c/two.ts"]);
    expect(of("two-way-folders").offenders).toEqual(["e <> f: e/p.ts > f/q.ts; f/r.ts > e/p.ts"]);
    expect(of("folder-cycles").offenders).toEqual(["a, b, c", "e, f"]);
  });

  it("has functions that are too long, wide or told by a boolean what to do, roots apart", () => {
    const body = (count: number) => `{\n${"f();\n".repeat(count - 2)}}`;
    const of = measured({
      "main.ts": `function root() ${body(120)}\nexport const more = () => ${body(121)};`,
      "f.ts": `class A { long() ${body(81)}\n fit() ${body(80)} }`,
      "wide.ts":
        "const wide = (a, b, c, d, e) => a;\ninterface I { m(a: 1, b: 2, c: 3, d: 4, e: 5): void; ok(a, b, c, d): void }",
      "flags.ts":
        "function a(x: string, on: boolean) {}\nconst b = (deep = false) => deep;\ntype C = (d?: boolean | undefined) => void;\nfunction e({ f }: { f: boolean }, g: { h: boolean }) {}\nclass K { constructor(private open: boolean) {} }",
    });
    expect(of("function-lines").offenders).toEqual(["f.ts:1 long 81", "main.ts:121 more 121"]);
    expect(of("wide-signatures").offenders).toEqual(["wide.ts:1 wide 5", "wide.ts:2 m 5"]);
    expect(of("boolean-parameters").offenders).toEqual([
      ...["flags.ts:1 a (on)", "flags.ts:2 b (deep)", "flags.ts:3 C (d)", "flags.ts:5 constructor (open)"],
    ]);
  });

  it("has names of two meanings, and exports that nothing takes, in the tree or anywhere", () => {
    const of = measured(
      {
        "a.ts": "export const Seal = 1;\nexport type Seal = 1;\nexport const used = 2, unused = 3;",
        "b.ts":
          'export class Seal {}\nexport { used } from "./a.ts";\nimport { Seal as other } from "./a.ts";',
        "c.ts": 'import { used } from "./b.ts";\nimport { Seal } from "./b.ts";',
        "tested.ts": "export const inTests = 1;",
        "open.ts": "export const offered = 1;",
        // Loaded by this name.
        "one/scanner.ts": "export const scanner = 1;",
        "two/scanner.ts": "export const scanner = 2;",
      },
      ["tested.ts"],
    );
    expect(of("ambiguous-names").offenders).toEqual(["Seal: a.ts, b.ts"]);
    expect(of("unimported").offenders).toEqual(["a.ts unused", "tested.ts inTests"]);
    expect(of("unimported-anywhere").offenders).toEqual(["a.ts unused"]);
  });

  it("has errors without a code, and spreads of what is written in them", () => {
    const of = measured({
      "a.ts": 'throw new Error("x");\nthrow new Fault("X");\nconst e = new Error("y");',
      "b.ts": "f({ ...{ a, b }, c });\nf({ ...rest, ...(c ? {} : { d }) });",
    });
    expect(of("bare-throws").offenders).toEqual(["a.ts:1"]);
    expect(of("spreads").offenders).toEqual(["b.ts:1"]);
  });

  it("has stilted words, and metaphors in comments, in names of one or more words and of files", () => {
    const of = measured({
      "look-back.ts":
        "// Whoever asks, lest a desk is counted and handed over to a gateway.\nconst handOver = openDesk(gate);",
    });
    expect(of("words").offenders).toEqual(["look-back.ts:1 Whoever", "look-back.ts:1 lest"]);
    expect(of("metaphors").offenders).toEqual([
      "look-back.ts look back (the file)",
      ...["look-back.ts:2 hand over (handOver)", "look-back.ts:2 desk (openDesk)"],
      ...["look-back.ts:1 desk", "look-back.ts:2 gate"],
    ]);
  });

  it("has no metaphor in the name of a published method, nor in what a file format calls its streams", () => {
    const of = measured({
      "distill/load.ts": "module.judge(testimony); // A judge judges.",
      "offices/ole.ts": 'const STREAMS = ["book"]; // By the book.',
    });
    expect(of("metaphors").offenders).toEqual(["distill/load.ts:1 judges", "offices/ole.ts:1 book"]);
  });

  it("is told with its goals, and with the first of what is still to go", () => {
    const name = "throws";
    const offenders = ["a", "b", "c", "d"];
    const text = report([
      { name: "files", figures: "3", goal: undefined, offenders: [] },
      { name, figures: "4", goal: "none", offenders },
      { name: "rest", figures: "0", goal: "none", offenders: [] },
    ]);
    expect(text.split("\n")).toEqual([
      ...["files   3", "throws  4  (goal: none) 4 to go", "          a", "          b", "          c"],
      ...["          and 1 more: --list throws", "rest    0  (goal: none) ok"],
    ]);
  });
});

/** Sizes, which have no goal. */
const MAY_BE_AWAY = ["files", "lines"];

/** Names that only tests take, and why they may. No other is exported for tests. */
const FOR_TESTS: readonly string[] = [
  // Types of what an exported function takes or gives: a test that makes one names it, too.
  "config/npm.ts CommandLine",
  "distill/experience/scoring.ts Bin",
  "domain/rate-limit.ts Window",
  "market/onchain/http/in-flight.ts SlotShare",
  "market/onchain/port/marketplace.ts OwnAssertionsAsk",
  "observe/health.ts HealthOptions",
  "producer/answering/bounties-in-work.ts BountiesInWorkParts",
  "producer/answering/triage-artifacts.ts TriageParts",
  "producer/funds/limiter.ts LimiterParts",
  "market/onchain/recovery/lost-stake-search.ts Waiting",
  "market/onchain/settlement/onchain-settlement.ts OnchainSettlementParts",
  "redis/connection.ts CommandPatience",
  "relay/relay.ts Relay",
  "sandbox/chain/chain.ts Mined",
  "scan/summary.ts SummaryTerms",
  "scanners/http/body.ts Body",
  "triage/filters/filter.ts Comparison",
  "triage/looks/look.ts ReadHead",
  // Limits and lists that a test goes up to, or through, without saying them a second time.
  "domain/caveat.ts CAVEATS",
  "ledger/read/history.ts HISTORY_QUERIES",
  "ledger/read/money.ts MONEY_QUERIES",
  "market/onchain/head/terms-watch.ts CONTRACT_DEFAULTS",
  "market/onchain/http/in-flight.ts MAX_LEFT",
  "market/onchain/http/in-flight.ts MAX_IN_FLIGHT",
  "market/onchain/settlement/steps/places.ts PLACES_AT_ONCE",
  "market/onchain/settlement/steps/places.ts MOST_PLACES",
  "sandbox/chain/compile.ts SOURCES",
  "sandbox/chain/contracts.ts CONTRACT_NAMES",
  "sandbox/samples/samples.ts EICAR",
  "scanners/yara/compile.ts LARGE_RULE_SET",
  "triage/filters/pattern.ts SEARCHED_CHARS",
  "triage/filters/pattern.ts MAX_PATTERN_STEPS",
  "triage/formats/far-types.ts MOST_LOOK_BYTES",
  // Decisions that the file's shell makes: tried by themselves, on more values than the shell could be brought to.
  "config/npm.ts retypedForNpm",
  "config/values/settings.ts settingName",
  "distill/lean.ts leanOpinion",
  "isolation/process/launch.ts canLeaveNetwork",
  "market/onchain/recovery/verdict-search/verdict-search.ts maskedIndexes",
  "market/onchain/chain/take-over.ts canStillReveal",
  "market/onchain/chain/take-over.ts resendPatienceMs",
  "redis/warnings.ts isOpen",
  "sandbox/content/bloom.ts bloomBits",
  "sandbox/gateway/routes/event-stream.ts frameOf",
  "sandbox/gateway/routes/nonces.ts pendingNonces",
  "sandbox/gateway/routes/receipts.ts tellEvents",
  "sandbox/players/bounties-on-chain.ts roundOf",
  "sandbox/samples/corpus.ts urlSpecimen",
  "sandbox/samples/samples.ts collectSamples",
  "scan/progress.ts progressLine",
  "scanners/clamav/verdict.ts familyOf",
  "scanners/described-answer.ts parseAnswer",
  "scanners/described-answer.ts valueAt",
  "scanners/described/described.ts parseDescription",
  "scanners/yara/rules.ts readRuleSet",
  "triage/script-types/languages.ts scoreLanguages",
  // A ledger on a connection that a test holds, to have the disk refuse.
  "ledger/sqlite/open-ledger.ts ledgerOn",
];

describe("the source of this repository", () => {
  it.each(measureRepository().filter(({ name }) => !MAY_BE_AWAY.includes(name)))(
    "is at its goal: $name",
    ({ name, offenders }) => {
      const listed = name === "unimported" ? FOR_TESTS : [];
      expect(offenders.filter((offender) => !listed.includes(offender))).toEqual([]);
      // What is no exception any more comes off the list.
      expect(listed.filter((offender) => !offenders.includes(offender))).toEqual([]);
    },
  );
});
