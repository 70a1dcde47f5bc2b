import { Redis } from "ioredis";
import { afterAll, describe, expect, it, vi } from "vitest";
import { parseAddress } from "../../src/domain/address.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { createSeal, type Seal } from "../../src/redis/seal.ts";
import { LEASE_MS, takeWalletLease } from "../../src/redis/wallet-lease.ts";
import { listening } from "../fixtures/queue/listening.ts";
import { startRedis } from "../fixtures/queue/redis-server.ts";

// Each waits for leases to lapse, with a Redis of its own, and does next to nothing meanwhile.
vi.setConfig({ maxConcurrency: 20 });
afterAll(() => vi.resetConfig());

const ACCOUNT = parseAddress(`0x${"5a".repeat(20)}`);
const OTHER = parseAddress(`0x${"6b".repeat(20)}`);
const KEY = `microengine:wallet:${ACCOUNT.toLowerCase()}`;
const SOMEBODY = { process: 7, host: "elsewhere", since: "2026-11-20T12:00:00.000Z" };

/** A Redis of one test's own, a connection to it, and what takes leases on it. */
async function open(...args: string[]) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startRedis(...args));
  const address = parseRedisAddress(server.address);
  const redis = stack.adopt(new Redis(server.port), (it) => it.disconnect());
  redis.on("error", () => {});
  const { log, says } = listening();
  let places = 0;
  const take = (
    more: { account?: typeof ACCOUNT; place?: string; signal?: AbortSignal; seal?: Seal } = {},
  ) => {
    const place = `here:${++places}`;
    return takeWalletLease({
      address,
      account: ACCOUNT,
      place,
      waitMs: 0,
      clock: systemClock,
      log,
      ...more,
    });
  };
  return { stack, server, redis, says, take, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe.concurrent("the lease of a wallet", () => {
  it("is kept in Redis under the account, for people to read, and lapses unless it is renewed", async () => {
    await using test = await open();
    await using _lease = await test.take();
    expect(JSON.parse((await test.redis.get(KEY)) ?? "")).toMatchObject({
      process: process.pid,
      host: expect.stringMatching(/./),
      since: expect.stringMatching(/^\d{4}-/),
    });
    const leftMs = await test.redis.pttl(KEY);
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(LEASE_MS);
  });

  it("is somebody else's at once after an orderly end, and another account's at any time", async () => {
    await using test = await open();
    const first = await test.take();
    await using _other = await test.take({ account: OTHER });
    await first[Symbol.asyncDispose]();
    expect(await test.redis.exists(KEY)).toBe(0);
    await using _second = await test.take();
  });

  it("is refused, naming the holder, when the holder has renewed it for as long as a lease lives", async () => {
    await using test = await open();
    await using _first = await test.take();
    const refused = test.take();
    await expect(refused).rejects.toMatchObject({ name: "ConfigFault", code: "WALLET_HELD" });
    await expect(refused).rejects.toThrow(`the wallet ${ACCOUNT}: process ${process.pid} on `);
  });

  it("goes at once to whoever holds the place where its holder crashed, and to nobody else", async () => {
    await using test = await open();
    await test.redis.set(KEY, JSON.stringify({ ...SOMEBODY, place: "here", id: "gone" }), "PX", 60_000);
    const waiting = test.take({ place: "elsewhere", signal: AbortSignal.timeout(600) });
    await expect(waiting).rejects.toMatchObject({ name: "TimeoutError" });
    await using _lease = await test.take({ place: "here" });
    await test.says("lease.waiting");
    expect(JSON.parse((await test.redis.get(KEY)) ?? "")).toMatchObject({
      process: process.pid,
      place: "here",
    });
  });

  it("is waited for no longer than the process is wanted", async () => {
    await using test = await open();
    await using _first = await test.take();
    const stop = new AbortController();
    const waiting = test.take({ signal: stop.signal });
    expect(await test.says("lease.waiting")).toMatchObject({ process: process.pid });
    const stoppedAt = performance.now();
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    expect(performance.now() - stoppedAt).toBeLessThan(LEASE_MS / 2);
  });

  it("is lost when another has it, who keeps it then", async () => {
    await using test = await open();
    const lease = await test.take();
    await test.redis.set(KEY, JSON.stringify(SOMEBODY), "PX", 60_000);
    expect(await lease.lost).toMatchObject({
      code: "WALLET_HELD",
      message: expect.stringContaining("process 7 on elsewhere, since 2026-11-20T12:00:00.000Z"),
    });
    await lease[Symbol.asyncDispose]();
    expect(JSON.parse((await test.redis.get(KEY)) ?? "")).toEqual(SOMEBODY);
  });

  it("is set again in a Redis that was started again and remembers nothing", async () => {
    await using test = await open();
    await using _lease = await test.take();
    const before = await test.redis.get(KEY);
    await test.server.kill();
    await test.says("lease.adrift");
    await test.server.start();
    await test.says("lease.back");
    expect(await test.redis.get(KEY)).toBe(before);
  });

  it("is renewed in a Redis that has no memory left, and not given out by one", async ({ expect }) => {
    await using test = await open();
    await using _lease = await test.take();
    await test.redis.config("SET", "maxmemory", "1");
    await expect(test.redis.set("x", "y")).rejects.toThrow("OOM");
    await test.redis.pexpire(KEY, LEASE_MS * 10);
    await expect.poll(() => test.redis.pttl(KEY), { timeout: LEASE_MS }).toBeLessThanOrEqual(LEASE_MS);
    await expect(test.take({ account: OTHER })).rejects.toMatchObject({ code: "LEASE_REFUSED" });
  });

  it("is ours again once whoever had taken it is gone", async () => {
    await using test = await open();
    await using lease = await test.take();
    const back = new Promise<void>((resolve) => {
      lease.onChange((loss) => loss === undefined && resolve());
    });
    await test.redis.set(KEY, JSON.stringify(SOMEBODY), "PX", 60_000);
    expect(await lease.lost).toBe(lease.loss());
    await test.redis.del(KEY);
    await back;
    expect(lease.loss()).toBeUndefined();
    await expect(test.take()).rejects.toMatchObject({ code: "WALLET_HELD" });
  });

  it.for<[string, (redis: Redis) => Promise<unknown>]>([
    ["text", (redis) => redis.set(KEY, "x")],
    ["JSON of something else", (redis) => redis.set(KEY, `{"process":"me"}`, "PX", 60_000)],
    ["a holder that never lapses", (redis) => redis.set(KEY, JSON.stringify(SOMEBODY))],
    ["far too long", (redis) => redis.set(KEY, "x".repeat(100_000), "PX", 60_000)],
    ["a list", (redis) => redis.rpush(KEY, JSON.stringify(SOMEBODY))],
  ])(
    "is held by nobody when what stands there is no lease but %s, before the start and after",
    async ([, write], { expect }) => {
      await using test = await open();
      await write(test.redis);
      await using lease = await test.take();
      await test.redis.del(KEY);
      await write(test.redis);
      await expect.poll(() => test.redis.get(KEY).catch(() => "")).toContain('"process":');
      await expect.poll(() => test.redis.get(KEY).catch(() => "")).toContain('"place":"here:1"');
      expect(lease.loss()).toBeUndefined();
    },
  );
});

describe.concurrent("the lease of a wallet, sealed with the secret of the queue", () => {
  const seal = createSeal("a secret of sixteen or more characters");

  it("is refused to another with the secret while it is renewed, and lapses as ever", async () => {
    await using test = await open();
    await using _lease = await test.take({ seal });
    expect(await test.redis.get(KEY)).toMatch(/^\{"sealed":"\{.*"mac":"[0-9a-f]{64}"\}$/);
    await expect(test.take({ seal })).rejects.toMatchObject({ code: "WALLET_HELD" });
    expect(await test.redis.pttl(KEY)).toBeGreaterThan(0);
  });

  it("is refused to another without the secret, too, which names its holder", async () => {
    await using test = await open();
    await using _lease = await test.take({ seal });
    await expect(test.take()).rejects.toThrow(`process ${process.pid} on `);
  });

  it.for<[string, (before: string) => string]>([
    ["without a seal", () => JSON.stringify(SOMEBODY)],
    ["under another secret", () => sealed("another secret of sixteen", Date.now() + 60_000)],
    ["that was altered", (before) => before.replace(/"process\\":\d+/, `"process\\":7`)],
    ["that is over, read once and written back later", () => sealed(undefined, Date.now() - 1_000)],
  ])("is not lost to a holder %s", async ([, forge], { expect }) => {
    await using test = await open();
    await using lease = await test.take({ seal });
    const before = (await test.redis.get(KEY)) ?? "";
    await test.redis.set(KEY, forge(before), "PX", 60_000);
    await test.says("lease.overwritten");
    await expect.poll(() => test.redis.pttl(KEY)).toBeLessThanOrEqual(LEASE_MS);
    expect(lease.loss()).toBeUndefined();
    // Nor is a start kept from it.
    await lease[Symbol.asyncDispose]();
    await test.redis.set(KEY, forge(before), "PX", 60_000);
    await using _second = await test.take({ seal });
  });

  function sealed(secret: string | undefined, until: number): string {
    const by = secret === undefined ? seal : createSeal(secret);
    return JSON.stringify(by.close("lease", KEY, { ...SOMEBODY, place: "there", until }));
  }
});
