import { BlockList, isIP } from "node:net";
import type { Redis } from "ioredis";
import type { Logger } from "../observe/log.ts";
import { describeRedisAddress, type RedisAddress } from "./redis-address.ts";

/** Says once, at the start, what is wrong with the Redis that we were given, though it works. */
export async function warnOfRedis(client: Redis, address: RedisAddress, log: Logger): Promise<void> {
  const redis = describeRedisAddress(address);
  if (isOpen(address)) {
    log.warn(
      {
        redis,
        hint: "Whoever reaches it can take jobs and give answers: put a password into REDIS_ADDR, or use rediss://, and set QUEUE_SECRET.",
      },
      "redis.open",
    );
  }
  const policy = await evictionPolicy(client);
  if (policy === undefined || policy === "noeviction") return;
  // BullMQ's keys belong together; a server that evicts some of them breaks the queue in ways nobody can explain.
  log.warn({ redis, policy, hint: "Set maxmemory-policy to noeviction." }, "redis.may-evict");
}

/** Whether a Redis on another machine lets in whoever reaches it, as far as its address tells. */
export const isOpen = ({ host, password, tls }: RedisAddress): boolean =>
  password === undefined && tls === undefined && !isThisMachine(host);

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** `redis` in a compose file, as any name but localhost, may be anywhere. */
function isThisMachine(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return /^(?:.+\.)?localhost\.?$/i.test(host);
  return LOOPBACK.check(host, version === 4 ? "ipv4" : "ipv6");
}

/** A user may not be allowed to ask; that alone is no reason to stay away. */
async function evictionPolicy(client: Redis): Promise<string | undefined> {
  const info = await client.info("memory").catch(() => "");
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
}
