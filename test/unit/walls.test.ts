import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = new URL("../../src/", import.meta.url);

interface Import {
  readonly from: string;
  /** A module of ours as a path below src, or the name of a package. */
  readonly to: string;
  readonly ours: boolean;
  /** Erased before anything runs: `import type`, `export type`. */
  readonly typeOnly: boolean;
  /** `import()`: loaded when and if it is asked for. */
  readonly later: boolean;
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)";/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;
const comments = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

function importsOf(from: string): Import[] {
  const text = readFileSync(new URL(from, SRC), "utf8").replace(comments, "");
  const found = [
    ...text
      .matchAll(STATEMENT)
      .map(([, type, specifier]) => ({ specifier: specifier!, typeOnly: type !== undefined, later: false })),
    ...text
      .matchAll(DYNAMIC)
      .map(([, specifier]) => ({ specifier: specifier!, typeOnly: false, later: true })),
  ];
  return found.map(({ specifier, typeOnly, later }) => {
    const ours = specifier.startsWith(".");
    const to = ours
      ? new URL(specifier, new URL(from, SRC)).href.slice(SRC.href.length)
      : packageOf(specifier);
    return { from, to, ours, typeOnly, later };
  });
}

const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

const modules = globSync("**/*.ts", { cwd: fileURLToPath(SRC) }).map((path) => path.replaceAll("\\", "/"));
const graph = new Map(modules.map((module) => [module, importsOf(module)]));
const folderOf = (module: string): string => module.split("/", 1)[0]!;
const inFolder = (folder: string): string[] => modules.filter((module) => folderOf(module) === folder);

/** Everything that is loaded with these modules, packages included, and the way to each. */
function reach(roots: readonly string[], when: "ever" | "at-once" = "ever"): Map<string, string> {
  const ways = new Map(roots.map((root) => [root, root]));
  for (const [module, way] of ways) {
    for (const { to, typeOnly, later } of graph.get(module) ?? []) {
      if (!typeOnly && !(later && when === "at-once") && !ways.has(to)) ways.set(to, `${way} > ${to}`);
    }
  }
  return ways;
}

/** What a folder mentions by name, types included, by the folder it is in. */
const mentions = (folder: string): string[] => {
  const imports = inFolder(folder).flatMap((module) => graph.get(module)!);
  const others = imports.filter(({ to, ours }) => ours && folderOf(to) !== folder);
  return [...new Set(others.map(({ to }) => (folderOf(to) === "observe" ? to : folderOf(to))))].toSorted();
};

/** The folder that a module is in, to its last part. */
const roomOf = (module: string): string => module.split("/").slice(0, -1).join("/");
/** Words of the domain. */
const LISTS = ["domain"];

/** What may compose: all the others are told what they need. */
const COMPOSERS = ["producer", "consumer", "sandbox", "demo", "scan", "testing", "init", "relay", "main.ts"];

describe("the walls between the folders", () => {
  it("reads a graph that is worth judging", () => {
    const dangling = [...graph.values()]
      .flat()
      .filter(({ to, ours }) => ours && !existsSync(new URL(to, SRC)));
    expect(dangling.map(({ from, to }) => `${from} > ${to}`)).toEqual([]);
    expect(reach(inFolder("consumer")).has("undici")).toBe(true);
    expect(reach(["producer/main.ts"]).has("web3-eth-accounts")).toBe(true);
  });

  it.each(["json", "files", "async"])("lets %s import nothing of ours", (folder) => {
    expect(mentions(folder)).toEqual([]);
  });

  it("lets domain import JSON without loss, and nothing else of ours", () => {
    expect(mentions("domain")).toEqual(["json"]);
  });

  it.each(["triage", "distill", "bid"])("keeps %s to itself and the words of the domain", (folder) => {
    expect(mentions(folder).filter((other) => !["domain", "json"].includes(other))).toEqual([]);
  });

  it.each(["redis", "wallet", "ledger", "scanners"])(
    "keeps %s to the words of the domain, the readers of files, the HTTP client and the logger",
    (folder) => {
      const shared = ["async", "domain", "files", "http", "json", "observe/log.ts"];
      expect(mentions(folder).filter((other) => !shared.includes(other))).toEqual([]);
    },
  );

  it("lets the market import the ledger and the wallet, too, whose steps it writes down and has signed", () => {
    const shared = ["async", "domain", "http", "json", "ledger", "observe/log.ts", "wallet"];
    expect(mentions("market").filter((other) => !shared.includes(other))).toEqual([]);
  });

  it("lets only market/onchain open the wallet", () => {
    const others = inFolder("market").filter((module) => !module.startsWith("market/onchain/"));
    const opening = others.filter((module) =>
      graph.get(module)!.some(({ to }) => to.startsWith("wallet/") || to.startsWith("market/onchain/")),
    );
    expect(opening).toEqual([]);
  });

  it("keeps the queue to the words of the domain, Redis and the logger", () => {
    const shared = ["async", "domain", "json", "observe/log.ts", "redis"];
    expect(mentions("queue").filter((other) => !shared.includes(other))).toEqual([]);
  });

  it("lets the producer import nothing of the consumer", () => {
    expect(mentions("producer").filter((other) => other === "consumer")).toEqual([]);
  });

  it.each(["consumer", "isolation", "scanners", "scan", "testing"])(
    "keeps wallet, market, ledger and web3 out of the reach of %s",
    (folder) => {
      const loaded = reach(inFolder(folder));
      const forbidden = loaded.entries().filter(([module]) => {
        return (
          ["wallet", "market", "ledger", "producer", "sandbox"].includes(folderOf(module)) ||
          /^web3/.test(module)
        );
      });
      expect([...forbidden.map(([, way]) => way)]).toEqual([]);
    },
  );

  it("loads no composition root and no web3 before a command is chosen", () => {
    const loaded = reach(["main.ts"], "at-once")
      .keys()
      .filter((module) => module !== "main.ts");
    expect([
      ...loaded.filter((module) => COMPOSERS.includes(folderOf(module)) || /^web3/.test(module)),
    ]).toEqual([]);
  });

  it("loads no scanner's code in the producer or the consumer, only in a scan worker", () => {
    const loaders = [
      "scanners/load.ts",
      "scanners/eicar.ts",
      "scanners/clamav/clamav.ts",
      "scanners/described/described.ts",
      "isolation/worker-process.ts",
    ];
    const loaded = reach(["producer/main.ts", "consumer/main.ts", "isolation/describe.ts"]);
    expect(loaders.filter((module) => loaded.has(module))).toEqual([]);
    expect(loaders.filter((module) => !graph.has(module))).toEqual([]);
  });

  it("loads libmagic with the first artifact, not with the process", () => {
    expect(reach(["producer/main.ts", "consumer/main.ts"], "at-once").has("wasmagic")).toBe(false);
    expect(reach(["producer/main.ts", "consumer/main.ts"]).has("wasmagic")).toBe(true);
  });

  it("lets only composition roots compose", () => {
    const others = [...new Set(modules.map(folderOf))].filter((folder) => !COMPOSERS.includes(folder));
    const reaching = others.filter((folder) => mentions(folder).some((other) => COMPOSERS.includes(other)));
    expect(reaching).toEqual([]);
  });

  it("has no two modules that load each other, directly or round about", () => {
    const cycles: string[] = [];
    const done = new Set<string>();
    const walk = (module: string, trail: readonly string[]): void => {
      const at = trail.indexOf(module);
      if (at !== -1) cycles.push([...trail.slice(at), module].join(" > "));
      if (at !== -1 || done.has(module)) return;
      for (const { to, typeOnly } of graph.get(module) ?? []) if (!typeOnly) walk(to, [...trail, module]);
      done.add(module);
    };
    for (const module of modules) walk(module, []);
    expect(cycles).toEqual([]);
  });

  it("has no two folders that mention each other, directly or round about, not even a type", () => {
    const arrows = new Map<string, Map<string, string>>();
    for (const { from, to, ours } of [...graph.values()].flat()) {
      const [here, there] = [roomOf(from), roomOf(to)];
      if (!ours || here === there) continue;
      const out = arrows.get(here) ?? new Map<string, string>();
      arrows.set(here, out.set(there, `${from} > ${to}`));
    }
    const cycles: string[] = [];
    const done = new Set<string>();
    const walk = (room: string, trail: readonly string[]): void => {
      const at = trail.indexOf(room);
      if (at !== -1) {
        const round = [...trail.slice(at), room];
        cycles.push(
          round
            .slice(1)
            .map((next, index) => arrows.get(round[index]!)!.get(next)!)
            .join(", "),
        );
      }
      if (at !== -1 || done.has(room)) return;
      for (const next of arrows.get(room)?.keys() ?? []) walk(next, [...trail, room]);
      done.add(room);
    };
    for (const room of arrows.keys()) walk(room, []);
    expect(cycles).toEqual([]);
  });

  it("keeps folders to fifteen modules, and to twenty-five where they are the items of one list", () => {
    const sizes = Map.groupBy(modules, roomOf);
    const crowded = sizes
      .entries()
      .filter(([room, inside]) => inside.length > (LISTS.includes(room) ? 25 : 15));
    expect([...crowded.map(([room, inside]) => `${room}: ${inside.length}`)]).toEqual([]);
  });

  it("loads neither key, market client, queue nor metrics before a producer has sent the reveals that were signed", () => {
    const heavy =
      /^(?:web3|undici|bullmq|ioredis|fastify|prom-client|wallet|queue|redis|market|distill|triage|bid)/;
    // What sends them, and what is said of it.
    const light = [
      "market/recovery-events.ts",
      "market/onchain/chain/market-notes.ts",
      "market/onchain/chain/pins.ts",
      "market/onchain/early/resend-reveals.ts",
      "market/onchain/port/events.ts",
      "market/onchain/port/journal.ts",
    ];
    const loaded = reach(["producer/main.ts"], "at-once").keys();
    expect([...loaded.filter((module) => heavy.test(module))].toSorted()).toEqual(light.toSorted());
  });

  it("takes web3's own pieces only, and constructs no Web3 that would connect to a stranger", () => {
    const constructing = modules.filter((module) =>
      /new Web3\(/.test(readFileSync(new URL(module, SRC), "utf8").replace(comments, "")),
    );
    expect(constructing).toEqual([]);
  });
});

/**
 * Of the market behind contracts: its words, its client and its refusals. They are known in its own folder alone, and what is in
 * that to the one file that says which marketplaces there are.
 */
describe("the words of the chain", () => {
  const OWN = ["market/onchain", "sandbox", "demo", "wallet"];
  const textOf = (module: string): string => readFileSync(new URL(module, SRC), "utf8").replace(comments, "");
  const others = modules.filter((module) => !OWN.some((room) => module.startsWith(`${room}/`)));
  const naming = (words: RegExp): string[] => others.filter((module) => words.test(textOf(module)));

  it("keep what is in their folder to the one file that opens marketplaces", () => {
    const importing = others.filter((module) =>
      graph.get(module)!.some(({ to }) => to.startsWith("market/onchain/")),
    );
    expect(importing).toEqual(["producer/process/markets.ts"]);
  });

  it("keep what a contract says when it refuses to the market's folder", () => {
    const refusals =
      /\/[^/\n]*(?:already (?:asserted|revealed|settled)|in reveal window|bounty inactive|revert|nonce too low|quorum and vote|underpriced)[^/\n]*\/[a-z]*[.,;)]/i;
    expect(naming(refusals)).toEqual([]);
  });

  it("keep to their own folders, to the settings in which an operator says them, and to the names of what is logged", () => {
    const words =
      /\b(?:BlockNumber|SignedTransaction|minedNonce|revealWindow|voteWindow|expiration|receipts?|gas)\b/;
    const settings = ["config/commands/producer.ts", "config/commands/sandbox.ts"];
    const logged = ["observe/log-names.ts"];
    // What a ledger was before is said in the words that it had then.
    const migrations = ["ledger/sqlite/schema.ts"];
    expect(naming(words).toSorted()).toEqual([...settings, ...logged, ...migrations].toSorted());
  });
});
