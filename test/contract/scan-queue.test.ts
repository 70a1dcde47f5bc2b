import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { openBullmqQueue } from "../../src/queue/bullmq/producer.ts";
import { openEmbeddedQueue } from "../../src/queue/embedded/producer.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { createSeal } from "../../src/redis/seal.ts";
import { Crew, hears } from "../fixtures/queue/crew.ts";
import { type CrewSpec, describeScanQueue, type QueueUnderTest } from "./scan-queue.ts";

const log = pino({ level: process.env.LOG_LEVEL ?? "silent" }, pino.destination(2));

const overRedis =
  (secret?: string) =>
  async ({ consumers, backends = ["a"], concurrency = 1, ...more }: CrewSpec): Promise<QueueUnderTest> => {
    const redis = process.env.REDIS_ADDR;
    if (redis === undefined) throw new Error("REDIS_ADDR is not set: run this through npm test");
    const name = `test-${randomUUID()}`;
    const queue = await openBullmqQueue({
      address: parseRedisAddress(redis),
      queue: name,
      backends,
      waitMs: 0,
      log,
      seal: createSeal(secret),
    });
    const crew = new Crew();
    const order = {
      ...({ kind: "redis", redis, queue: name, backends, concurrency, ...more } as const),
      ...(secret === undefined ? {} : { secret }),
    };
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

describeScanQueue("BullMQ", overRedis());
describeScanQueue("sealed BullMQ", overRedis("a secret of the tests"));

describeScanQueue("embedded", async ({ consumers, backends = ["a"], concurrency = 1, ...more }: CrewSpec) => {
  const crew = new Crew();
  const ready: Promise<void>[] = [];
  const queue = openEmbeddedQueue({
    consumers,
    log,
    spawn: () => {
      const child = crew.hire({ kind: "embedded", backends, concurrency, ...more });
      ready.push(hears(child, "ready"));
      return child;
    },
  });
  await Promise.all(ready);
  return {
    queue,
    crew,
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      await crew.dismiss();
    },
  };
});
