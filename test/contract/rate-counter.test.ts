import { fork } from "node:child_process";
import { once } from "node:events";
import { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import { MemoryRateCounter, WINDOW_NAMES, WINDOWS, type Window } from "../../src/domain/rate-limit.ts";
import { openBullmqWork } from "../../src/queue/bullmq/consumer.ts";
import { openEmbeddedQueue } from "../../src/queue/embedded/producer.ts";
import type { ScanWork } from "../../src/queue/port.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { RedisRateCounter } from "../../src/redis/rate-counters.ts";
import { hears } from "../fixtures/queue/crew.ts";
import { startRedis } from "../fixtures/queue/redis-server.ts";
import { describeRateCounter } from "./rate-counter.ts";

const upTo = (window: Window): readonly Window[] => WINDOW_NAMES.slice(0, WINDOW_NAMES.indexOf(window) + 1);

describeRateCounter("memory", async () => {
  let now = Date.UTC(2026, 10, 20, 10, 20, 30);
  const counter = new MemoryRateCounter({ now: () => instant(now) });
  return {
    ways: [counter],
    nowS: async () => now / 1_000,
    pass: async (_name, window) => {
      now += WINDOWS[window] * 1_000;
    },
    [Symbol.asyncDispose]: async () => {},
  };
});

/** Eight connections to a Redis of its own, as eight consumers have. */
async function openRedis() {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startRedis());
  const { host, port } = server;
  const connections = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const redis = stack.adopt(new Redis({ host, port, lazyConnect: true }), (it) => it.disconnect());
      redis.on("error", () => {});
      await redis.connect();
      return redis;
    }),
  );
  const ways = connections.map((redis) => new RedisRateCounter(redis, "{q}"));
  return { server, redis: connections[0]!, ways, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describeRateCounter("Redis", async () => {
  const test = await openRedis();
  return {
    ways: test.ways,
    nowS: async () => Number((await test.redis.time())[0]),
    async pass(name, window) {
      // Redis has its own clock: what it counted is put into the window before instead.
      for (const passed of upTo(window)) await test.redis.hincrby(`{q}/rate/${name}`, `${passed}:at`, -1);
    },
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
});

describe("the Redis rate counter", () => {
  it("says that it cannot tell while Redis is away", async () => {
    await using test = await openRedis();
    const [counter] = test.ways;
    expect((await counter!.use("a", { day: 5 }, "take")).kind).toBe("granted");
    const gone = once(test.redis, "close");
    await test.server.kill();
    await gone;
    expect(await counter!.use("a", { day: 5 }, "take")).toEqual({
      kind: "unknown",
      why: "Redis is out of reach",
    });
  });

  it("leaves a key that goes by itself, and none in BullMQ's way", async () => {
    await using test = await openRedis();
    await test.ways[0]!.use("backend/a", { day: 5 }, "take");
    expect(await test.redis.keys("*")).toEqual(["{q}/rate/backend/a"]);
    expect(await test.redis.ttl("{q}/rate/backend/a")).toBeGreaterThan(86_400);
  });
});

describe("the queue on Redis", () => {
  it("counts for all its consumers together, and for each queue by itself", async () => {
    await using server = await startRedis();
    const address = parseRedisAddress(server.address);
    const log = pino({ level: "silent" });
    const join = (queue: string) => openBullmqWork({ address, queue, consumer: queue, waitMs: 0, log });
    await using one = await join("q");
    await using another = await join("q");
    await using stranger = await join("r");
    const take = ({ rates }: ScanWork) => rates.use("backend/a", { day: 1 }, "take");
    expect((await take(one)).kind).toBe("granted");
    expect((await take(another)).kind).toBe("refused");
    expect((await take(stranger)).kind).toBe("granted");
  });
});

describe("the embedded queue", () => {
  it("counts for all its consumers together, at the same moment too", async () => {
    const children = Array.from({ length: 3 }, () =>
      fork(new URL("../fixtures/queue/rate-taker.ts", import.meta.url), [], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        execArgv: [],
      }),
    );
    const ready = Promise.all(children.map((child) => hears(child, "ready")));
    const log = pino({ level: "silent" });
    await using _queue = openEmbeddedQueue({ spawn: (index) => children[index]!, consumers: 3, log });
    await ready;
    const granted = children.map(async (child) => {
      const { promise: heard, resolve } = Promise.withResolvers<number>();
      child.on("message", ({ kind, granted }: { kind?: string; granted?: number }) => {
        if (kind === "took") resolve(granted ?? Number.NaN);
      });
      child.send({ take: 30, limits: { day: 50 } });
      return heard;
    });
    const counts = await Promise.all(granted);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(50);
  });
});
