/**
 * Writes what `market.test.ts` opens: a ledger with a bounty in every state that lasts, the chain that it speaks of, and a
 * queue, all as the code at hand writes them. Run it before a change of what is written, never after one:
 *
 *     node test/versions/write-market.ts test/fixtures/version-N
 *
 * Producers live on two sandboxes, one after the other. Steps are held back by refusing their requests, and at the end the chain
 * mines no more: what is signed then is in the ledger and in no block.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Guid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { nct } from "../../src/domain/nct.ts";
import { stringifyJson } from "../../src/json/json.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { runCalibrate } from "../../src/producer/calibrate/main.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "../e2e/engine.ts";
import { openMarket, REWARD } from "../e2e/market.ts";
import { Meddler } from "../e2e/meddler.ts";
import { contentsOf, type Manifest, WINDOWS, type WrittenBounty } from "./market.ts";

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error("Usage: node test/versions/write-market.ts FOLDER");

/** Of the bounties that are to expire soon, in blocks. */
const SHORT = 12;
const SCANNING = ["--embedded", "1", "--benign", "eicar=0.8", "--max-artifact-size", "4096"];
const REFUSED = { status: 503, text: '{"status":"FAIL","errors":"not now"}' };
const MARKET = { ...WINDOWS, rivals: 1, artifactsPerBounty: 1 };

using folder = temporaryFolder();
const bounties: WrittenBounty[] = [];

async function post(
  sandbox: Sandbox,
  name: string,
  truth: readonly boolean[],
  duration: number,
): Promise<Guid> {
  const contents = contentsOf({ name, truth });
  const claims = truth.map((_, index) => ({
    filename: `${name}-${index}.bin`,
    size: contents[index]!.length,
  }));
  const reward = nct(REWARD * BigInt(truth.length));
  const guid = await sandbox.postBounty({ contents, truth, duration, reward, claims });
  bounties.push({ guid, name, truth });
  return guid;
}

function start(url: string): EngineProcess {
  return new EngineProcess([...producerFlags(url, folder.path), ...SCANNING]);
}

const mine = (sandbox: Sandbox, blocks: number) =>
  sandbox.chain.rpc("anvil_mine", [`0x${blocks.toString(16)}`]);

/** A stake on a chain that is begun anew afterwards. */
async function loseAChain(): Promise<void> {
  await using sandbox = await openMarket(folder.path, MARKET);
  await using engine = start(sandbox.url);
  await Promise.all([engine.told("producer.ready"), engine.told("consumer.serving")]);
  await post(sandbox, "written off", [true], WINDOWS.durationBlocks);
  await engine.told("assertion.posted");
}

function states(): ReadonlyMap<string, string> {
  const db = new DatabaseSync(join(folder.path, "data", "ledger.sqlite"), { readOnly: true });
  try {
    const rows = db.prepare("SELECT guid, state FROM bounty").all() as { guid: string; state: string }[];
    const nameOf = (guid: string) => bounties.find((bounty) => bounty.guid === guid)?.name ?? guid;
    return new Map(rows.map(({ guid, state }) => [nameOf(guid), state]));
  } finally {
    db.close();
  }
}

/** Waits until the bounties of these names are in these states. */
async function until(wanted: Readonly<Record<string, string>>): Promise<void> {
  for (let asked = 0; ; asked++) {
    const now = states();
    const missing = Object.entries(wanted).filter(([name, state]) => now.get(name) !== state);
    if (missing.length === 0) return;
    if (asked > 500) throw new Error("not within a minute");
    if (asked % 250 === 249)
      console.error("waiting for", Object.fromEntries(missing), Object.fromEntries(now));
    await sleep(200);
  }
}

await loseAChain();
await using sandbox = await openMarket(folder.path, MARKET);
await using meddler = await Meddler.open(sandbox.url);
await using engine = start(meddler.url);
await Promise.all([engine.told("producer.ready"), engine.told("consumer.serving")]);

const held = new Set<string>();
const hold = (line: string) => held.add(line);
meddler.forge(/^/, ({ line }) => ([...held].some((part) => line.includes(part)) ? REFUSED : undefined));

// To the end, or nearly.
await post(sandbox, "settled", [true, false, true], SHORT);
hold(`${await post(sandbox, "settling", [true, false], SHORT)}/settle`);
const missed = await post(sandbox, "missed", [true], SHORT);
hold(`${missed}/assertions/`);
await post(sandbox, "large", [false], SHORT);
await until({ settled: "asserted", settling: "asserted", missed: "asserted", large: "abandoned" });
await mine(sandbox, SHORT);
await until({ settled: "revealed", settling: "revealed" });
await mine(sandbox, WINDOWS.revealWindow);
await until({ settled: "settled", missed: "settled" });

// To the reveal.
await post(sandbox, "revealed", [true, true], SHORT);
const revealing = await post(sandbox, "revealing", [false, true], SHORT);
hold(`${revealing}/assertions/`);
await until({ revealed: "asserted", revealing: "asserted" });
await mine(sandbox, SHORT);
await until({ revealed: "revealed" });

// To the assertion.
await post(sandbox, "asserted", [true], WINDOWS.durationBlocks);
await until({ asserted: "asserted" });
const posting = await post(sandbox, "posting", [true, false], WINDOWS.durationBlocks);
hold(`${posting}/assertions`);
hold(`${await post(sandbox, "planned", [true], WINDOWS.durationBlocks)}/assertions`);
await until({ posting: "planned", planned: "planned" });

// What is signed from here on is in no block.
await engine.kill("SIGKILL");
await sandbox.chain.rpc("evm_setIntervalMining", [0]);
for (const part of held)
  if (!part.includes(bounties.at(-1)!.guid) && !part.includes(missed)) held.delete(part);
await using signing = start(meddler.url);
await until({ posting: "posting", revealing: "revealing", settling: "settling", planned: "planned" });
await signing.kill("SIGKILL");

mkdirSync(target, { recursive: true });
const ledgerFile = join(folder.path, "data", "ledger.sqlite");
const db = new DatabaseSync(ledgerFile);
db.exec("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
db.close();
copyFileSync(ledgerFile, join(target, "ledger.sqlite"));
for (const name of ["keyfile", "password"])
  copyFileSync(join(folder.path, "wallet", name), join(target, name));
const dumped = String(await sandbox.chain.rpc("anvil_dumpState"));
const state = gunzipSync(Buffer.from(dumped.slice(2), "hex"));
writeFileSync(join(target, "chain.json.gz"), gzipSync(state, { level: 9 }));

using ledger = openLedger(ledgerFile, systemClock);
let calibration = "";
const config = { newest: 10_000, benign: [], json: true, log: "info", logFormat: "json" } as const;
await runCalibrate({ dataDir: join(folder.path, "data"), ...config }, (text) => (calibration += text));
const contracts = Object.fromEntries(
  Object.entries(sandbox.chain.contracts).map(([name, { address }]) => [name, address]),
);
const manifest = {
  account: sandbox.account!,
  contracts,
  bounties,
  states: Object.fromEntries(states()),
  summary: ledger.summary(),
  calibration: JSON.parse(calibration),
} satisfies Manifest;
writeFileSync(join(target, "manifest.json"), `${stringifyJson(manifest)}\n`);
process.exit(0);
