import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freePort, RedisServer, startRedis } from "../fixtures/queue/redis-server.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD } from "./market.ts";

/** A producer for the wallet in `folder`, with a data directory and a queue of its own. */
const producer = (url: string, folder: string, name: string, redis: RedisServer) =>
  new EngineProcess([
    ...producerFlags(url, folder),
    ...["--data-dir", join(folder, name), "--redis-addr", redis.address, "--queue", name],
  ]);

describe.concurrent("one wallet", () => {
  it("has one producer: another refuses, and takes over within seconds of a crash or a cut", async () => {
    using folder = temporaryFolder();
    await using sandbox = await openMarket(folder.path);
    await using redis = await startRedis();
    const start = (name: string) => producer(sandbox.url, folder.path, name, redis);

    await using first = start("first");
    const [ready] = await first.told("producer.ready");
    await using second = start("second");
    await second.told("lease.waiting");
    expect(await second.ended).toBe(2);
    expect(second.text[0]).toContain(`process ${ready?.pid} on ${hostname()}, since 20`);

    await using third = start("third");
    await third.told("lease.waiting");
    const crashedAt = performance.now();
    await first.kill("SIGKILL");
    await third.told("lease.held");
    expect(performance.now() - crashedAt).toBeLessThan(8_000);
    await third.told("producer.ready");

    // As a machine that was cut off, or put to sleep: it comes back to find its place taken.
    await using fourth = start("fourth");
    await fourth.told("lease.waiting");
    third.signal("SIGSTOP");
    await fourth.told("producer.ready");
    third.signal("SIGCONT");
    const [lost] = await third.told("lease.lost");
    expect(lost).toMatchObject({ level: "error" });
    expect(await third.ended).toBe(2);
    expect(third.entries.map(({ msg }) => msg)).toContain("producer.stopped");
    expect(third.text[0]).toMatch(/^microengine: Another producer works with the wallet 0x.*\.$/);
    expect(await fourth.kill("SIGTERM")).toBe(0);
    await using fifth = start("fifth");
    await fifth.told("producer.ready");
    expect(fifth.entries.map(({ msg }) => msg)).not.toContain("lease.waiting");
  });

  it("is kept by a producer whose Redis goes away and comes back empty, and which reveals meanwhile", async () => {
    using folder = temporaryFolder();
    await using sandbox = await openMarket(folder.path);
    await using redis = new RedisServer(await freePort(), []);
    await redis.start();
    await using first = producer(sandbox.url, folder.path, "first", redis);
    const flags = ["--polyswarmd-addr", sandbox.url, "--redis-addr", redis.address, "--queue", "first"];
    await using _consumer = new EngineProcess(["consumer", ...flags]);
    await first.told("producer.ready");
    await sandbox.postBounty({ contents: [EICAR], truth: [true], duration: 12, reward: REWARD });
    await first.told("assertion.posted");
    await redis.kill();
    await first.told("lease.adrift");
    await first.told("assertion.revealed");
    await redis.start();
    await first.told("lease.back");
    await using second = producer(sandbox.url, folder.path, "second", redis);
    expect(await second.ended).toBe(2);
    expect(second.text.join()).toContain("Another producer works with the wallet");
    await first.told("assertion.settled");
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 1 });
    expect(await first.kill("SIGTERM")).toBe(0);
  });
});
