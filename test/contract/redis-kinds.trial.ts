/** What every scan queue promises, over a Cluster, over Sentinels and over Valkey; and what becomes of it in a failover. */
import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { afterAll, describe, it } from "vitest";
import { openBullmqQueue } from "../../src/queue/bullmq/producer.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { Crew, hears } from "../fixtures/queue/crew.ts";
import {
  holderOf,
  type ManyRedis,
  startCluster,
  startSentinels,
  startValkey,
  valkeyServer,
} from "../fixtures/queue/many-redis.ts";
import { expectWorks, openQueueOn } from "../fixtures/queue/queue-on.ts";
import { type CrewSpec, describeScanQueue, type QueueUnderTest } from "./scan-queue.ts";

const log = pino({ level: process.env.LOG_LEVEL ?? "silent" }, pino.destination(2));

/** Starts it once, for all tests of a suite. */
function sharing(start: () => Promise<ManyRedis>): (spec: CrewSpec) => Promise<QueueUnderTest> {
  let started: Promise<ManyRedis> | undefined;
  afterAll(async () => (await started)?.[Symbol.asyncDispose]());
  return async ({ consumers, backends = ["a"], concurrency = 1, ...more }) => {
    started ??= start();
    const { address: redis } = await started;
    const name = `test-${randomUUID()}`;
    const address = parseRedisAddress(redis);
    const queue = await openBullmqQueue({ address, queue: name, backends, waitMs: 10_000, log });
    const crew = new Crew();
    const order = { kind: "redis", redis, queue: name, backends, concurrency, ...more } as const;
    await Promise.all(Array.from({ length: consumers }, () => hears(crew.hire(order), "ready")));
    return {
      queue,
      crew,
      async [Symbol.asyncDispose]() {
        await crew.dismiss();
        await queue[Symbol.asyncDispose]();
      },
    };
  };
}

describeScanQueue("Cluster", sharing(startCluster));
describeScanQueue("Sentinel", sharing(startSentinels));
describe.skipIf(valkeyServer() === undefined)("Valkey", () => {
  describeScanQueue("Valkey", sharing(startValkey));
});

describe("a queue whose Redis fails over", () => {
  it("goes on with the replica of a node that died, and says that answers may have been missed", async () => {
    await using cluster = await startCluster({ replicas: 1 });
    await using test = await openQueueOn(cluster.address);
    const back = new Promise<void>((resolve) => test.queue.onReconnect(resolve));
    const holder = await holderOf(cluster, "{q}:a:wait");
    await holder.kill();
    await back;
    await expectWorks(test);
  });

  it("goes on with the replica of a primary that died, and says that answers may have been missed", async () => {
    await using set = await startSentinels();
    await using test = await openQueueOn(set.address);
    const back = new Promise<void>((resolve) => test.queue.onReconnect(resolve));
    await (await set.primary()).kill();
    await back;
    await expectWorks(test);
  });
});
