import { BlockList, isIP } from "node:net";
import { type Clock, systemClock } from "../domain/instant.ts";
import type { Logger } from "../observe/log.ts";
import { describeRedisAddress, hostsNamed, type RedisAddress } from "./address.ts";
import type { RedisClient } from "./connection.ts";

/** Says once, at the start, what is wrong with the Redis that we were given, though it works. */
export async function warnOfRedis(
  client: RedisClient,
  address: RedisAddress,
  log: Logger,
  clock: Clock = systemClock,
): Promise<void> {
  const redis = describeRedisAddress(address);
  if (isOpen(address)) {
    log.warn(
      {
        redis,
        hint: "All who reach it can take jobs and give answers: put a password into REDIS_ADDR, or use rediss://, and set QUEUE_SECRET.",
      },
      "redis.open",
    );
  }
  const aheadMs = await clockAhead(client, clock);
  if (Math.abs(aheadMs) > CLOCK_TOLERANCE_MS) {
    // Deadlines are instants: consumers that are ahead of the producer find all jobs expired, others scan for nothing.
    const hint = "Set the clocks of producer, consumers and Redis by the same time service (NTP).";
    log.warn({ redis, aheadMs, hint }, "clock.differs");
  }
  const { policy, maxBytes = 0 } = await memoryTerms(client);
  if (maxBytes > 0 && maxBytes < ENOUGH_BYTES) {
    log.warn({ redis, maxBytes, hint: "Set maxmemory to 100mb or more." }, "redis.small");
  }
  if (policy === undefined || policy === "noeviction") return;
  // BullMQ's keys belong together; a server that evicts some of them breaks the queue in ways that are hard to explain.
  log.warn({ redis, policy, hint: "Set maxmemory-policy to noeviction." }, "redis.may-evict");
}

/** Blocks come every second or so; more than that and answers come too late, or never. */
const CLOCK_TOLERANCE_MS = 1_000;

/** Milliseconds by which our clock is before that of Redis, as far as the time for asking lets one tell; 0 when unknown. */
async function clockAhead(client: RedisClient, clock: Clock): Promise<number> {
  const askedAt = clock.now();
  const told = await client.time().catch(() => undefined);
  if (told === undefined) return 0;
  const [seconds, microseconds] = told;
  const theirs = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  if (theirs < askedAt) return Math.max(0, askedAt - theirs);
  return Math.min(0, clock.now() - theirs);
}

/** Whether a Redis on another machine lets in all who reach it, as far as its address tells. */
export const isOpen = (address: RedisAddress): boolean =>
  address.password === undefined && address.tls === undefined && !hostsNamed(address).every(isThisMachine);

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** `redis` in a compose file, as any name but localhost, may be anywhere. */
function isThisMachine(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return /^(?:.+\.)?localhost\.?$/i.test(host);
  return LOOPBACK.check(host, version === 4 ? "ipv4" : "ipv6");
}

/** An hour of finished jobs and BullMQ's events fit; a smaller Redis may fill, and then refuses what would make room. */
const ENOUGH_BYTES = 100_000_000;

/** A user may not be allowed to ask; that alone is no reason to stay away. `maxBytes` 0: as much as the machine has. */
async function memoryTerms(
  client: RedisClient,
): Promise<{ readonly policy?: string | undefined; readonly maxBytes?: number }> {
  const info = await client.info("memory").catch(() => "");
  const [, limit = "0"] = /^maxmemory:(\d+)/m.exec(info) ?? [];
  return { policy: /^maxmemory_policy:(\S+)/m.exec(info)?.[1], maxBytes: Number(limit) };
}
