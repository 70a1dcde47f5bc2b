/**
 * How soon a producer works again whose ledger holds 10,000 open bounties: from its start until it is ready, until it
 * planned its first assertion on a bounty that was posted just before, and until the market had that. Beside it the same
 * start with an empty ledger, measured in the same run. The bounties are open on the sandbox's chain, too: nearly all
 * wait for their reveal or for the arbiters, some hundred need something at once.
 *
 *     node bench/recovery.ts
 */
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sandbox } from "../src/sandbox/sandbox.ts";
import { EngineProcess, type Entry, producerFlags, temporaryFolder } from "../test/e2e/engine.ts";
import { EICAR, openMarket, REWARD } from "../test/e2e/market.ts";
import { type OpenBounties, openBounties } from "../test/fixtures/open-bounties.ts";

const OPEN: OpenBounties = {
  posting: 200,
  asserted: 6_300,
  unpublished: 100,
  revealing: 200,
  revealed: 3_200,
};
const COUNT = Object.values(OPEN).reduce((sum, count) => sum + count, 0);
/** A bounty takes assertions for at most 100 blocks; slow ones leave time to measure a start before they expire. */
const BLOCK_MS = 1_000;
/** The one that the empty ledger's producer answered must be over when the other starts. */
const NEW_BLOCKS = 30;
const LIMIT_MS = 5_000;
const QUIET_MS = 500;
const BUSY = 0.3;

const STEPS = ["producer.ready", "assertion.planned", "assertion.posted"] as const;

/** Resolves once the sandbox, which lives in this process, has read what was opened and has little to do. */
async function quiet(): Promise<void> {
  for (;;) {
    const before = performance.eventLoopUtilization();
    await sleep(QUIET_MS);
    if (performance.eventLoopUtilization(before).utilization < BUSY) return;
  }
}

/** Milliseconds from the start of the process to each step. */
async function start(market: Sandbox, folder: string): Promise<readonly number[]> {
  const guid = await market.postBounty({
    contents: [EICAR],
    truth: [true],
    duration: NEW_BLOCKS,
    reward: REWARD,
  });
  const startedAt = Date.now();
  await using producer = new EngineProcess([...producerFlags(market.url, folder), "--embedded", "1"]);
  const isNew = (entry: Entry) => entry.guid === undefined || entry.guid === guid;
  const steps = STEPS.map(async (step) => {
    const [entry] = await producer.told(step, 1, isNew);
    return Date.parse(String(entry!.time)) - startedAt;
  });
  const missed = producer.told("bounty.abandoned", 1, isNew).then(([entry]) => {
    throw new Error(`The machine is too busy to measure on: the new bounty was abandoned (${entry?.why}).`);
  });
  return await Promise.race([Promise.all(steps), missed]);
}

using folder = temporaryFolder();
const windows = { durationBlocks: 60, revealWindow: 10_000, voteWindow: 10_000 };
await using market = await openMarket(folder.path, {
  ...windows,
  blockTimeMs: BLOCK_MS,
  arbiters: 0,
  rivals: 0,
});
const empty = await start(market, folder.path);

using long = temporaryFolder();
mkdirSync(join(long.path, "data"), { mode: 0o700 });
cpSync(join(folder.path, "wallet"), join(long.path, "wallet"), { recursive: true });
await openBounties(market, join(long.path, "data", "ledger.sqlite"), OPEN, {
  shortBlocks: 12,
  longBlocks: 100,
  blockSeconds: BLOCK_MS / 1_000,
});
await quiet();
const full = await start(market, long.path);

const row = (times: readonly number[]) =>
  Object.fromEntries(STEPS.map((step, index) => [`${step}, ms`, times[index]!]));
console.log(`Start of a producer with ${COUNT} open bounties in its ledger, and with none`);
console.table({
  "empty ledger": row(empty),
  [`${COUNT} open bounties`]: row(full),
  ratio: Object.fromEntries(STEPS.map((step, i) => [`${step}, ms`, (full[i]! / empty[i]!).toFixed(2)])),
});
const planned = full[STEPS.indexOf("assertion.planned")]!;
console.log(
  `the limit until a new bounty is answered is ${LIMIT_MS} ms: ${planned < LIMIT_MS ? "met" : "missed"}`,
);
