import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { type RedisServer, startRedis } from "../fixtures/queue/redis-server.ts";
import { EngineProcess, type Entry, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";

/** Says "malicious" as soon as the file beside it is there, so that a scan lasts until the test ends it. */
const SLOW_SCANNER = `
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
const go = new URL("go", import.meta.url);
export const scanner = {
  name: "slow", version: "1.0.0", accepts: { kinds: ["file"] },
  async scan() {
    process.stderr.write("scanning\\n");
    while (!existsSync(go)) await sleep(50);
    return { verdict: "malicious", confidence: 0.9, family: "Slow" };
  },
};
`;

interface Scene extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly redis: RedisServer;
  readonly folder: string;
  readonly producer: EngineProcess;
  /** Starts a consumer; resolves when it serves. */
  hire(): Promise<EngineProcess>;
  post(duration?: number): Promise<string>;
  /** Lets every scan end. */
  letGo(): Promise<void>;
}

async function scene(backend: "eicar" | "slow"): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const sandbox = stack.use(await openMarket(folder));
  const redis = stack.use(await startRedis());
  const module = join(folder, "slow.mjs");
  await writeFile(module, SLOW_SCANNER);
  const shared = ["--redis-addr", redis.address, "--backend", backend === "slow" ? module : backend];
  const producer = stack.use(new EngineProcess([...producerFlags(sandbox.url, folder), ...shared]));
  await producer.told("producer.ready");
  let bounties = 0;
  const lifetime = stack.move();
  return {
    sandbox,
    redis,
    folder,
    producer,
    async hire() {
      const consumer = new EngineProcess([
        ...["consumer", "--polyswarmd-addr", sandbox.url, "--scan-limit", "1", "--http-port", "0"],
        ...shared,
      ]);
      lifetime.use(consumer);
      await consumer.told("consumer.serving");
      return consumer;
    },
    post: (duration = 20) =>
      sandbox.postBounty({
        contents: [Buffer.concat([EICAR, Buffer.from(`${bounties++}`)])],
        truth: [true],
        duration,
        reward: REWARD,
      }),
    letGo: () => writeFile(join(folder, "go"), ""),
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

const about = (guid: string) => (entry: Entry) => entry.guid === guid;

/** Everything asserted was revealed and settled, once. */
async function expectSettled({ producer, sandbox, folder }: Scene, count: number): Promise<void> {
  await producer.told("assertion.settled", count);
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: count, revealed: count, settled: count });
  expect(readLedger(folder)).toMatchObject({ settled: count, atRisk: 0n, wrong: 0, revealsMissed: 0 });
  expect(producer.text).toEqual([]);
}

describe.concurrent("a producer that works over Redis", () => {
  it("asks again for jobs that waited in a Redis that came back empty, and answers in time", async () => {
    await using test = await scene("eicar");
    const guids = await Promise.all([test.post(24), test.post(24)]);
    await test.producer.told("bounty.dispatched", 2);
    await test.redis.kill();
    await test.producer.told("queue.interrupted");
    await test.redis.start();
    await test.producer.told("queue.reconnected");
    await test.hire();
    await Promise.all(guids.map((guid) => test.producer.told("assertion.posted", 1, about(guid))));
    await expectSettled(test, 2);
  });

  it("reveals and settles while Redis is gone, and answers bounties again when it is back", async () => {
    await using test = await scene("eicar");
    await test.hire();
    const before = await test.post(10);
    await test.producer.told("assertion.posted", 1, about(before));
    await test.redis.kill();
    await test.producer.told("assertion.revealed", 1, about(before));
    const meanwhile = await test.post(40);
    await test.producer.told("assertion.settled", 1, about(before));
    await test.redis.start();
    await test.producer.told("assertion.posted", 1, about(meanwhile));
    await expectSettled(test, 2);
  });

  it("sees its stakes through while Redis has no memory left, and answers bounties when it has again", async () => {
    await using test = await scene("eicar");
    await test.hire();
    const before = await test.post(10);
    await test.producer.told("assertion.posted", 1, about(before));
    const operator = new Redis(`redis://${test.redis.address}`);
    try {
      await operator.config("SET", "maxmemory", "1");
      const meanwhile = await test.post(40);
      await test.producer.told("assertion.revealed", 1, about(before));
      expect(
        test.producer.entries.filter((entry) => entry.msg === "artifact.answered" && about(meanwhile)(entry)),
      ).toEqual([]);
      await operator.config("SET", "maxmemory", "0");
      await test.producer.told("assertion.posted", 1, about(meanwhile));
    } finally {
      operator.disconnect();
    }
    await expectSettled(test, 2);
  });

  it("answers a bounty whose consumer is killed in the middle of the scan, by another", async () => {
    await using test = await scene("slow");
    const [first, second] = [await test.hire(), await test.hire()];
    const guid = await test.post(50);
    const scanning = (consumer: EngineProcess) => consumer.told("scanner.output").then(() => consumer);
    const busy = await Promise.race([scanning(first), scanning(second)]);
    await busy.kill("SIGKILL");
    await test.letGo();
    await test.producer.told("assertion.posted", 1, about(guid));
    await expectSettled(test, 1);
  });

  it("answers a bounty whose only consumer is killed in the middle of the scan, by one that comes later", async () => {
    await using test = await scene("slow");
    const busy = await test.hire();
    const guid = await test.post(50);
    await busy.told("scanner.output");
    await busy.kill("SIGKILL");
    await test.letGo();
    await test.hire();
    await test.producer.told("assertion.posted", 1, about(guid));
    await expectSettled(test, 1);
  });
});
