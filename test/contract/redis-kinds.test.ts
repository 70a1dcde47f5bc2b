/** The queue on Redis as it is run where one server is not enough, and what is said of one that is not what it is called. */
import { once } from "node:events";
import { createServer } from "node:net";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../src/domain/address.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { connectRedis } from "../../src/redis/connection.ts";
import { takeWalletLease } from "../../src/redis/wallet-lease.ts";
import { startCluster, startSentinels } from "../fixtures/queue/many-redis.ts";
import { expectWorks, openQueueOn } from "../fixtures/queue/queue-on.ts";
import { startRedis } from "../fixtures/queue/redis-server.ts";

const log = pino({ level: process.env.LOG_LEVEL ?? "silent" }, pino.destination(2));

const connect = (text: string) => connectRedis(parseRedisAddress(text), { waitMs: 0, log });

async function expectLease(text: string): Promise<void> {
  const account = parseAddress(`0x${"5a".repeat(20)}`);
  const take = (place: string) =>
    takeWalletLease({
      address: parseRedisAddress(text),
      account,
      place,
      waitMs: 0,
      clock: systemClock,
      log,
    });
  await using _lease = await take("here");
  await expect(take("there")).rejects.toMatchObject({ code: "WALLET_HELD" });
}

describe.concurrent("Redis Cluster", () => {
  it("carries jobs, answers, limits and the wallet's lease, with a password", async () => {
    await using cluster = await startCluster({ password: "s3cret" });
    await using test = await openQueueOn(cluster.address);
    await expectWorks(test);
    await expectLease(cluster.address);
    await expect(connect(cluster.address.replace("s3cret", "wrong"))).rejects.toMatchObject({
      code: "REDIS_REFUSED",
    });
  });

  it("is named when one of its nodes is addressed as a Redis by itself, and one that is none", async () => {
    await using cluster = await startCluster();
    const node = cluster.servers[0]!.address;
    await expect(connect(node)).rejects.toMatchObject({
      code: "REDIS_IS_CLUSTER",
      hint: expect.stringContaining(`redis-cluster://${node}`),
    });
    await using single = await startRedis();
    await expect(connect(`redis-cluster://${single.address}`)).rejects.toMatchObject({
      code: "REDIS_NO_CLUSTER",
    });
  });
});

describe.concurrent("Redis behind Sentinels", () => {
  it("carries jobs, answers, limits and the wallet's lease, with a password for each", async () => {
    await using set = await startSentinels({ password: "s3cret", sentinelPassword: "other" });
    await using test = await openQueueOn(set.address);
    await expectWorks(test);
    await expectLease(set.address);
    for (const secret of ["s3cret", "other"]) {
      const wrong = set.address.replace(secret, "wrong");
      await expect(connect(wrong)).rejects.toMatchObject({
        code: "REDIS_REFUSED",
        hint: expect.stringContaining("sentinel-password"),
      });
    }
  });

  it("is named when a Sentinel is addressed as a Redis, and a name that it does not know", async () => {
    await using set = await startSentinels();
    const [, sentinel] = /\/\/([^,/]+)/.exec(set.address)!;
    await expect(connect(sentinel!)).rejects.toMatchObject({
      code: "REDIS_IS_SENTINEL",
      hint: expect.stringContaining(`redis-sentinel://${sentinel}/NAME`),
    });
    await expect(connect(set.address.replace("/engine", "/motor"))).rejects.toThrow(
      /redis-sentinel:\/\/.*\/motor: .*No such master/,
    );
  });
});

it("names a Redis in protected mode as such, without waiting", async () => {
  // As it answers whoever comes from another machine.
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(
      "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set\r\n",
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const address = parseRedisAddress(`127.0.0.1:${port}`);
  await expect(connectRedis(address, { waitMs: 60_000, log })).rejects.toMatchObject({
    code: "REDIS_PROTECTED",
  });
  server.close();
});
