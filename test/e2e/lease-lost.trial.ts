import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { startRedis } from "../fixtures/queue/redis-server.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, skipToReveals, skipToVotes, WIDE } from "./market.ts";
import { about } from "./meddled-market.ts";

const HOLDER = JSON.stringify({ process: 7, host: "elsewhere", since: "2026-11-20T12:00:00.000Z" });

it("a producer that loses its wallet's lease asserts nothing more, keeps its promises, and ends when they are kept", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, WIDE);
  await using redis = await startRedis();
  const flags = ["--redis-addr", redis.address, "--queue", "lease-lost"];
  await using producer = new EngineProcess([...producerFlags(sandbox.url, folder.path), ...flags]);
  await using consumer = new EngineProcess([
    ...["consumer", "--polyswarmd-addr", sandbox.url, "--http-port", "0"],
    ...flags,
  ]);
  await Promise.all([producer.told("producer.ready"), consumer.told("consumer.serving")]);
  const post = (note: string) =>
    sandbox.postBounty({
      contents: [Buffer.concat([EICAR, Buffer.from(note)])],
      truth: [true],
      duration: WIDE.durationBlocks,
      reward: REWARD,
    });
  await post("first");
  await producer.told("assertion.posted");
  const key = `microengine:wallet:${sandbox.account?.toLowerCase()}`;
  const client = new Redis(`redis://${redis.address}`);
  try {
    // What is no lease is nobody's.
    await client.set(key, "x");
    await producer.told("lease.overwritten");
    await client.set(key, HOLDER, "PX", 600_000);
    expect((await producer.told("lease.lost"))[0]).toMatchObject({ level: "error", promised: 1 });
    const second = await post("second");
    await producer.told("bounty.skipped", 1, about(second));
    await client.del(key);
    await producer.told("lease.regained");
    await post("third");
    // The second is still open, too.
    await producer.told("assertion.posted", 3);
    await client.set(key, HOLDER, "PX", 600_000);
    await producer.told("lease.lost", 2);
  } finally {
    client.disconnect();
  }
  await skipToReveals(sandbox);
  await producer.told("assertion.revealed", 3);
  await skipToVotes(sandbox);
  await producer.told("assertion.settled", 3);
  expect(await producer.ended).toBe(2);
  expect(producer.text[0]).toContain("Another producer works with the wallet");
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 3, revealed: 3, settled: 3 });
});

it("a producer that is started while another has the lease keeps what its ledger has promised", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, WIDE);
  await using redis = await startRedis();
  const embedded = ["--embedded", "1", "--benign", "eicar=0.8"];
  {
    await using producer = new EngineProcess([...producerFlags(sandbox.url, folder.path), ...embedded]);
    await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
    await sandbox.postBounty({
      contents: [EICAR],
      truth: [true],
      duration: WIDE.durationBlocks,
      reward: REWARD,
    });
    await producer.told("assertion.posted");
    await producer.kill("SIGKILL");
  }
  const client = new Redis(`redis://${redis.address}`);
  try {
    await client.set(`microengine:wallet:${sandbox.account?.toLowerCase()}`, HOLDER, "PX", 600_000);
  } finally {
    client.disconnect();
  }
  await skipToReveals(sandbox);
  await using producer = new EngineProcess([
    ...producerFlags(sandbox.url, folder.path),
    ...["--redis-addr", redis.address, "--data-dir", join(folder.path, "data")],
  ]);
  await producer.told("assertion.revealed");
  await producer.told("producer.not-answering", 1, ({ reason }) => String(reason).includes("elsewhere"));
  await skipToVotes(sandbox);
  await producer.told("assertion.settled");
  expect(await producer.ended).toBe(2);
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 1 });
});
