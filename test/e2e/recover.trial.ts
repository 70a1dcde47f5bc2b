import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/domain/instant.ts";
import { formatNct, nct } from "../../src/domain/nct.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { expirationOf } from "../../src/market/onchain/port/details.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import {
  deedsOnChain,
  EICAR,
  openMarket,
  REWARD,
  readLedger,
  skipToReveals,
  skipToVotes,
  WIDE,
} from "./market.ts";
import { microengine, ROOT } from "./run-process.ts";

const REDIS = process.env.REDIS_ADDR ?? "localhost:6379";
const SCANNING = ["--embedded", "1", "--benign", "eicar=0.8"];
/** Long enough for a producer to be killed and another process to look at everything. */
const DURATION = 60;

/** Flags of `recover`: those of the producer, which serves health and metrics besides. */
function recoverFlags(url: string, folder: string): readonly string[] {
  const [, ...flags] = producerFlags(url, folder);
  return ["recover", ...flags.slice(0, flags.indexOf("--http-port")), "--log-format", "json"];
}

async function recover(url: string, folder: string, ...flags: readonly string[]) {
  const ended = await microengine([...recoverFlags(url, folder), "--json", ...flags]);
  expect(ended.stdout, ended.stderr).toMatch(/^\{.*\}\n$/);
  return { ...ended, outcome: JSON.parse(ended.stdout) as Record<string, unknown> };
}

/** How many verdicts were tried for each bounty of more than 20 artifacts. */
const triesIn = (log: string): readonly number[] =>
  [...log.matchAll(/"artifacts":26,"revealed":false,"tries":(\d+)/g)].map(([, tries]) => Number(tries));

const loseLedger = (folder: string): void => rmSync(join(folder, "data"), { recursive: true });

/** Lets a producer assert on bounties of so many artifacts, a third of them malicious, and kills it. */
async function assertAndDie(sandbox: Sandbox, folder: string, sizes: readonly number[]): Promise<void> {
  await using producer = new EngineProcess([...producerFlags(sandbox.url, folder), ...SCANNING]);
  await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  for (const size of sizes) {
    const truth = Array.from({ length: size }, (_, index) => index % 3 === 0);
    const contents = truth.map((malicious, index) =>
      Buffer.concat([malicious ? EICAR : Buffer.from("nothing"), Buffer.from(`\n${index}`)]),
    );
    await sandbox.postBounty({ contents, truth, duration: DURATION, reward: nct(REWARD * BigInt(size)) });
  }
  await producer.told("assertion.posted", sizes.length);
  // A new wallet has lost nothing, and nobody looks.
  expect(producer.entries.map(({ msg }) => msg)).not.toContain("recover.at-start");
  await producer.kill("SIGKILL");
}

/** Nobody waits for what can be mined at once: on to where the first bounty can soon be revealed. */
async function jumpToReveals(sandbox: Sandbox, folder: string): Promise<void> {
  using ledger = openLedger(join(folder, "data", "ledger.sqlite"), systemClock);
  const expirations = ledger.inStates("side", ["asserted"]).map(({ bounty }) => expirationOf(bounty));
  const blocks = Math.min(...expirations) - 2 - (await sandbox.chain.head());
  if (blocks > 0) await sandbox.chain.rpc("anvil_mine", [`0x${blocks.toString(16)}`]);
}

describe("recover, with the ledger lost after asserting on three bounties", () => {
  const folder = temporaryFolder();
  let sandbox: Sandbox;
  const whole = { looked: 3, assertions: 3, notRebuilt: 0, unread: 0, open: 0, complete: true };

  beforeAll(async () => {
    sandbox = await openMarket(folder.path, { revealWindow: 12 });
    await assertAndDie(sandbox, folder.path, [2, 1, 26]);
    loseLedger(folder.path);
  });
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  it("finds nothing for another wallet, says so, and leaves the data directory to the right one", async () => {
    const flags = recoverFlags(sandbox.url, folder.path).toSpliced(3, 4);
    const keystore = ["--keyfile", join(ROOT, "test/fixtures/keystore/web3-pbkdf2.json")];
    const { code, stdout } = await microengine([...flags, ...keystore, "--embedded", "1"], {
      PASSWORD: "testpassword",
    });
    expect(stdout).toMatch(/bounties looked at +3\n.*assertions of this account +0\n/s);
    expect(stdout).toContain("is this the keyfile, and the gateway, you worked with?");
    expect(code).toBe(0);
  });

  it("goes on where an earlier run was killed, and reveals and settles every stake", async () => {
    const flags = recoverFlags(sandbox.url, folder.path);
    await using killed = new EngineProcess([...flags.slice(0, -2), ...SCANNING]);
    await killed.told("recover.rebuilt");
    await killed.kill("SIGKILL");
    const rebuilt = await recover(sandbox.url, folder.path, "--ledger-only", ...SCANNING);
    expect(rebuilt.outcome).toMatchObject({ ...whole, revealed: 0, settled: 0, open: 3 });
    expect(rebuilt.outcome.known).toBeGreaterThan(0);
    expect(triesIn(rebuilt.stderr)).toContain(1);

    await jumpToReveals(sandbox, folder.path);
    const { code, outcome } = await recover(sandbox.url, folder.path, ...SCANNING);
    expect(outcome).toMatchObject({
      ...whole,
      known: 3,
      revealed: 3,
      missed: 0,
      settled: 3,
      settledBefore: 0,
    });
    expect(outcome.payoutNct).toBeGreaterThan(0);
    expect(code).toBe(0);
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: 3, revealed: 3, settled: 3 });
    expect(readLedger(folder.path)).toMatchObject({
      asserted: 3,
      settled: 3,
      right: 29,
      wrong: 0,
      atRisk: 0n,
    });
  });

  it("changes nothing when it is run again", async () => {
    const before = readLedger(folder.path);
    const { code, outcome } = await recover(sandbox.url, folder.path, ...SCANNING);
    expect(outcome).toMatchObject({ ...whole, known: 3, rebuilt: 0, revealed: 0, settled: 0 });
    expect(code).toBe(0);
    expect(readLedger(folder.path)).toEqual(before);
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: 3, revealed: 3, settled: 3 });
  });

  it("calls settled what was settled long ago, with a payout that nobody knows and no profit", async () => {
    loseLedger(folder.path);
    const { code, outcome } = await recover(
      sandbox.url,
      folder.path,
      "--embedded",
      "1",
      ...["--rescan-timeout", "0", "--tries", "1"],
    );
    expect(outcome).toMatchObject({ ...whole, rebuilt: 3, settled: 0, settledBefore: 3, payoutNct: 0 });
    expect(code).toBe(0);
    expect(readLedger(folder.path)).toMatchObject({ asserted: 3, settled: 3, profit: 0n, atRisk: 0n });
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: 3, revealed: 3, settled: 3 });
  });
});

it("a producer that is started again on nothing but its wallet finds its stakes itself, and answers none of them twice", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, WIDE);
  await assertAndDie(sandbox, folder.path, [2, 1, 26]);
  loseLedger(folder.path);

  await using killed = new EngineProcess([...producerFlags(sandbox.url, folder.path), ...SCANNING]);
  await killed.told("recover.rebuilt");
  await killed.kill("SIGKILL");
  await using producer = new EngineProcess([...producerFlags(sandbox.url, folder.path), ...SCANNING]);
  const [salvaged] = await producer.told("recover.salvaged");
  expect(Number(salvaged?.rebuilt) + Number(salvaged?.known)).toBe(3);
  // What comes now is answered as ever.
  await producer.told("consumer.serving");
  await sandbox.postBounty({ contents: [EICAR], truth: [true], duration: DURATION, reward: REWARD });
  await producer.told("assertion.posted");
  await skipToReveals(sandbox);
  await producer.told("assertion.revealed", 4);
  await skipToVotes(sandbox);
  await producer.told("assertion.settled", 4);
  expect(await producer.kill("SIGTERM")).toBe(0);
  expect(producer.entries.filter(({ msg }) => msg === "assertion.posted")).toHaveLength(1);
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 4, revealed: 4, settled: 4 });
  expect(readLedger(folder.path)).toMatchObject({ asserted: 4, settled: 4, right: 30, wrong: 0, atRisk: 0n });

  await using again = new EngineProcess([...producerFlags(sandbox.url, folder.path), ...SCANNING]);
  await again.told("producer.ready");
  expect(again.entries.filter(({ msg }) => msg.startsWith("recover."))).toEqual([]);
});

it("a stake whose reveal window closed unrevealed comes back where no arbiter voted", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path);
  await assertAndDie(sandbox, folder.path, [1]);
  const staked = readLedger(folder.path).staked;
  loseLedger(folder.path);
  await sandbox.chain.rpc("anvil_mine", ["0x80"]);

  const { outcome } = await recover(sandbox.url, folder.path, "--embedded", "1");
  expect(outcome).toMatchObject({ rebuilt: 1, revealed: 0, missed: 1, settled: 1, open: 0 });
  expect(outcome.payoutNct).toBeGreaterThanOrEqual(Number(formatNct(staked)));
  expect(readLedger(folder.path)).toMatchObject({ asserted: 1, revealed: 0, settled: 1, revealsMissed: 1 });
});

it("does not work beside a producer with the same wallet", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path);
  const queue = ["--redis-addr", REDIS, "--queue", `recover-${process.pid}`];
  await using producer = new EngineProcess([...producerFlags(sandbox.url, folder.path), ...queue]);
  await producer.told("producer.ready");
  const flags = recoverFlags(sandbox.url, folder.path);
  const here = await microengine([...flags, ...queue]);
  expect(here.stderr).toContain("Another producer works in the data directory");
  const elsewhere = await microengine([...flags, ...queue, "--data-dir", join(folder.path, "elsewhere")]);
  expect(elsewhere.stderr).toContain("Another producer works with the wallet");
  expect([here.code, elsewhere.code]).toEqual([2, 2]);
});
