import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import { openBullmqWork } from "../../src/queue/bullmq/consumer.ts";
import { openBullmqQueue } from "../../src/queue/bullmq/producer.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { type CommandPatience, connectRedis } from "../../src/redis/connection.ts";
import { warnOfRedis } from "../../src/redis/warnings.ts";
import { listening } from "../fixtures/queue/listening.ts";
import { freePort, RedisServer, startRedis } from "../fixtures/queue/redis-server.ts";

describe.concurrent("connecting to Redis", () => {
  it("gives up at once, in one line, when nobody answers and it may not wait", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const { log, entries } = listening();
    const failure = connectRedis(parseRedisAddress(address), { waitMs: 0, log });
    await expect(failure).rejects.toMatchObject({ name: "ConfigFault", code: "REDIS_UNREACHABLE" });
    await expect(failure).rejects.toThrow(
      new RegExp(`^No Redis answers at ${address}: .*ECONNREFUSED.*\\.$`),
    );
    expect(entries).toEqual([]);
  });

  it("waits with a message until Redis is there", async () => {
    await using server = new RedisServer(await freePort(), []);
    const { log, says } = listening();
    const connecting = connectRedis(parseRedisAddress(server.address), { waitMs: 30_000, log });
    expect(await says("redis.waiting")).toMatchObject({ redis: server.address, leftMs: expect.any(Number) });
    await server.start();
    const redis = await connecting;
    expect(await redis.ping()).toBe("PONG");
    await server.kill();
    await says("redis.error");
    await server.start();
    expect(await says("redis.back")).toMatchObject({ redis: server.address });
    redis.disconnect();
  });

  it("gives up when the time it may wait has passed", async () => {
    const address = parseRedisAddress(`127.0.0.1:${await freePort()}`);
    const { log, says } = listening();
    const connecting = connectRedis(address, { waitMs: 300, log });
    await expect(connecting).rejects.toMatchObject({ code: "REDIS_UNREACHABLE" });
    await says("redis.waiting");
  });

  it.each<CommandPatience>(["fail-fast", "patient"])(
    "does not wait for ever on a server that takes the connection and says nothing (%s)",
    async (patience) => {
      const mute = createServer(() => {}).listen(await freePort(), "127.0.0.1");
      await once(mute, "listening");
      const { port } = mute.address() as { port: number };
      const { log } = listening();
      const connecting = connectRedis(parseRedisAddress(`127.0.0.1:${port}`), { waitMs: 0, log, patience });
      await expect(connecting).rejects.toMatchObject({ code: "REDIS_UNREACHABLE" });
      mute.close();
    },
  );

  it("stops waiting when it is told to", async () => {
    const address = parseRedisAddress(`127.0.0.1:${await freePort()}`);
    const stop = new AbortController();
    const { log, says } = listening();
    const connecting = connectRedis(address, { waitMs: 30_000, log, signal: stop.signal });
    await says("redis.waiting");
    stop.abort(new Error("enough"));
    await expect(connecting).rejects.toThrow("enough");
  });

  it("does not wait where the password is wrong or missing, and logs in where it is right", async () => {
    await using server = await startRedis("--requirepass", "s3cret");
    const { log } = listening();
    const wrong = ["", ":wrong@", "somebody:s3cret@"].map((who) => `redis://${who}${server.address}`);
    for (const text of [...wrong, `redis://:s3cret@${server.address}/99`]) {
      const address = parseRedisAddress(text);
      const failure = connectRedis(address, { waitMs: 30_000, log });
      await expect(failure).rejects.toMatchObject({ name: "ConfigFault", code: "REDIS_REFUSED" });
      await expect(failure).rejects.toThrow(/^(?!.*(wrong|s3cret)).*$/);
    }
    const redis = await connectRedis(parseRedisAddress(`redis://:s3cret@${server.address}/2`), {
      waitMs: 0,
      log,
    });
    expect(await redis.client("INFO")).toMatch(/ db=2 /);
    expect(await redis.ping()).toBe("PONG");
    redis.disconnect();
  });

  it("does not wait for a server whose certificate nobody vouches for, and says so in one line", async () => {
    const pem = await readFile(new URL("../fixtures/self-signed.pem", import.meta.url));
    const server = createTlsServer({ cert: pem, key: pem }).listen(0, "127.0.0.1");
    server.on("tlsClientError", () => {});
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { log, entries } = listening();
    for (const host of ["localhost", "127.0.0.1"]) {
      const failure = connectRedis(parseRedisAddress(`rediss://${host}:${port}`), { waitMs: 60_000, log });
      await expect(failure).rejects.toMatchObject({ name: "ConfigFault", code: "REDIS_UNTRUSTED" });
      await expect(failure).rejects.toThrow(
        `The certificate of Redis at rediss://${host}:${port} is not accepted: self-signed certificate.`,
      );
    }
    expect(entries).toEqual([]);
    server.close();
  });

  it("warns of a server that may evict the queue", async () => {
    await using server = await startRedis("--maxmemory-policy", "allkeys-lru");
    const { log, entries } = listening();
    const address = parseRedisAddress(server.address);
    const redis = await connectRedis(address, { waitMs: 0, log });
    await warnOfRedis(redis, address, log);
    expect(entries).toMatchObject([{ msg: "redis.may-evict", policy: "allkeys-lru", level: 40 }]);
    redis.disconnect();
  });

  it("warns of a server that is too small to hold what a queue keeps", async () => {
    await using server = await startRedis("--maxmemory", "50mb", "--maxmemory-policy", "noeviction");
    const { log, entries } = listening();
    const address = parseRedisAddress(server.address);
    const redis = await connectRedis(address, { waitMs: 0, log });
    await warnOfRedis(redis, address, log);
    expect(entries).toMatchObject([{ msg: "redis.small", maxBytes: 50 * 2 ** 20, level: 40 }]);
    redis.disconnect();
  });

  it.each([-30_000, 30_000])("warns of a clock that is %i ms away from that of Redis", async (awayMs) => {
    await using server = await startRedis();
    const { log, entries } = listening();
    const address = parseRedisAddress(server.address);
    const redis = await connectRedis(address, { waitMs: 0, log });
    await warnOfRedis(redis, address, log);
    expect(entries).toEqual([]);
    await warnOfRedis(redis, address, log, { now: () => instant(Date.now() + awayMs) });
    const [{ aheadMs, ...warning } = { aheadMs: 0, msg: "" }] = entries;
    expect(warning).toMatchObject({ msg: "clock.differs", level: 40 });
    expect(Math.round(Number(aheadMs) / 10_000) * 10_000).toBe(awayMs);
    redis.disconnect();
  });

  it("warns once, on either side, of a Redis that is not known to be here and lets everybody in", async () => {
    await using server = await startRedis();
    // Leads here, and is no loopback address: nothing in it says that it is this machine.
    const elsewhere = parseRedisAddress(server.address.replace("127.0.0.1", "0.0.0.0"));
    const basics = { address: elsewhere, queue: "q", waitMs: 0 };
    const [producer, consumer] = [listening(), listening()];
    await using _queue = await openBullmqQueue({ ...basics, backends: ["a"], log: producer.log });
    await using _work = await openBullmqWork({ ...basics, consumer: "c", log: consumer.log });
    for (const { entries } of [producer, consumer]) {
      const hint = expect.stringContaining("QUEUE_SECRET");
      expect(entries).toMatchObject([{ msg: "redis.open", level: 40, hint }]);
    }
  });
});
