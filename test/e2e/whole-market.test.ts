import { expect, it } from "vitest";
import { EngineProcess, ONE_SCAN, producerFlags, temporaryFolder } from "./engine.ts";
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

const REDIS = process.env.REDIS_ADDR ?? "localhost:6379";

it.concurrent("a producer and two consumers see every stake through, over Redis", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, { ...WIDE, bounties: 4, artifactsPerBounty: 2 });
  const queue = ["--redis-addr", REDIS, "--queue", `whole-market-${process.pid}`];
  const consumer = ["consumer", "--polyswarmd-addr", sandbox.url, "--scan-limit", "1", ...queue];
  await using first = new EngineProcess(consumer);
  await using second = new EngineProcess(consumer);
  await Promise.all([first.told("consumer.serving"), second.told("consumer.serving")]);
  await using producer = new EngineProcess([
    ...producerFlags(sandbox.url, folder.path),
    ...queue,
    ...["--benign", "eicar=0.8"],
  ]);
  await producer.told("producer.ready");
  sandbox.open();
  await producer.told("assertion.posted", 4);
  await skipToReveals(sandbox);
  await producer.told("assertion.revealed", 4);
  await skipToVotes(sandbox);
  await producer.told("assertion.settled", 4);
  expect(await producer.kill("SIGTERM")).toBe(0);

  const summary = readLedger(folder.path);
  expect(summary).toMatchObject({ asserted: 4, revealed: 4, settled: 4, atRisk: 0n, wrong: 0 });
  expect(summary.right).toBe(8);
  expect(summary.profit).toBeGreaterThan(0n);
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 4, revealed: 4, settled: 4 });
});

it.concurrent("a producer killed after planning, after asserting and after revealing does each of its duties once", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, WIDE);
  const flags = [...producerFlags(sandbox.url, folder.path), "--embedded", "1"];
  const start = () => new EngineProcess(flags, ONE_SCAN);

  await using planning = start();
  await Promise.all([planning.told("producer.ready"), planning.told("consumer.serving")]);
  const duration = WIDE.durationBlocks;
  await sandbox.postBounty({ contents: [EICAR], truth: [true], duration, reward: REWARD });
  await planning.told("assertion.planned");
  await planning.kill("SIGKILL");

  await using asserting = start();
  await asserting.told("assertion.posted");
  await asserting.kill("SIGKILL");
  await skipToReveals(sandbox);

  await using revealing = start();
  await revealing.told("assertion.revealed");
  await revealing.kill("SIGKILL");
  await skipToVotes(sandbox);

  await using settling = start();
  const [settled] = await settling.told("assertion.settled");
  expect(settled).toMatchObject({ right: 1, wrong: 0 });
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 1 });
  expect(readLedger(folder.path)).toMatchObject({ asserted: 1, revealed: 1, settled: 1, revealsMissed: 0 });
});

it.concurrent("a producer that was away while a bounty waited for settlement settles it when it comes back", async ({
  expect,
}) => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, { ...WIDE, bounties: 1, seed: 3 });
  const flags = [...producerFlags(sandbox.url, folder.path), "--embedded", "1", "--benign", "eicar=0.8"];
  await using before = new EngineProcess(flags, ONE_SCAN);
  // A bounty that comes before a consumer serves may be over before one does.
  await Promise.all([before.told("producer.ready"), before.told("consumer.serving")]);
  sandbox.open();
  await before.told("assertion.posted");
  await skipToReveals(sandbox);
  await before.told("assertion.revealed");
  expect(await before.kill("SIGTERM")).toBe(0);
  await skipToVotes(sandbox);
  const heard = async () =>
    (await sandbox.chain.logs(0, await sandbox.chain.head())).map(({ event }) => event);
  await expect.poll(heard).toContain("QuorumReached");
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 0 });

  await using after = new EngineProcess(flags, ONE_SCAN);
  await after.told("assertion.settled");
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 1 });
});
