import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { RecentKeys } from "../async/recent-keys.ts";
import { ConfigFault, describeError } from "../domain/fault.ts";
import type { Logger } from "../observe/log.ts";
import { describeRedisAddress, type RedisAddress } from "./address.ts";
import { type CommandPatience, createClient, type RedisClient, retryAfterMs } from "./client.ts";
import { lastingFault, otherKind, redisUnreachable, rootOf } from "./connect-faults.ts";
import { readGreeting } from "./greeting.ts";
import { askMode } from "./server-mode.ts";

export { type CommandPatience, isUsable, type RedisClient } from "./client.ts";

const RETRY_EVERY_MS = 2_000;

interface ConnectRedisOptions {
  /** For how long to try. 0: once. */
  readonly waitMs: number;
  readonly log: Logger;
  readonly signal?: AbortSignal;
  /** Default: fail-fast. */
  readonly patience?: CommandPatience;
}

/**
 * A connection that is ready now and reconnects by itself from then on; its errors go to the log for as long as there is the
 * client: what listens to it here ends with it, and not before, because ioredis prints an error that nothing hears.
 * Throws ConfigFault REDIS_UNREACHABLE when `waitMs` has passed, `signal.reason` when that aborts first, and without
 * waiting ConfigFault REDIS_REFUSED when the server does not let us in, REDIS_PROTECTED, REDIS_UNTRUSTED when its certificate
 * is not one we accept, and REDIS_IS_CLUSTER, REDIS_IS_SENTINEL or REDIS_NO_CLUSTER when it is not what the address says.
 */
export async function connectRedis(
  address: RedisAddress,
  options: ConnectRedisOptions,
): Promise<RedisClient> {
  const { log, signal } = options;
  const redis = describeRedisAddress(address);
  const giveUpAt = performance.now() + options.waitMs;
  const told = new RecentKeys(1);
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await connectOnce(address, options);
    } catch (cause) {
      signal?.throwIfAborted();
      const lasting =
        cause instanceof ConfigFault ? cause : lastingFault(address, await causeOf(address, cause));
      if (lasting !== undefined) throw lasting;
      const leftMs = Math.round(giveUpAt - performance.now());
      if (leftMs <= 0) throw redisUnreachable(address, cause);
      const why = describeError(cause);
      log[told.add(why) ? "warn" : "debug"]({ redis, leftMs, why }, "redis.waiting");
      await delay(Math.min(RETRY_EVERY_MS, leftMs), undefined, signal && { signal }).catch(() => {});
    }
  }
}

/** ioredis drops what a server says that hangs up at once. */
async function causeOf(address: RedisAddress, cause: unknown): Promise<unknown> {
  if (address.kind !== "one" || describeError(cause) !== "Connection is closed.") return cause;
  const greeting = await readGreeting(address);
  return greeting.startsWith("-") ? new Error(greeting.slice(1), { cause }) : cause;
}

async function connectOnce(address: RedisAddress, options: ConnectRedisOptions): Promise<RedisClient> {
  let joined = false;
  // Until the first success the loop above is the one that retries.
  const retry = (attempt: number) => (joined ? retryAfterMs(attempt) : null);
  const client = createClient(address, options.patience ?? "fail-fast", retry);
  let last: unknown;
  // One warning an outage; the attempts that follow it fail alike.
  let warned = false;
  client.on("ready", () => {
    if (warned) options.log.info({ redis: describeRedisAddress(address) }, "redis.back");
    warned = false;
  });
  const hear = (error: Error): void => {
    last = rootOf(error);
    if (joined) options.log[warned ? "debug" : "warn"]({ why: describeError(last) }, "redis.error");
    warned = joined;
  };
  client.on("error", hear);
  client.on("sentinelError", (error: Error) => {
    if (!joined) last = error;
  });
  // One node of a Cluster that is out of reach is not the Cluster.
  client.on("node error", (error: Error) => {
    if (joined) options.log.debug({ why: describeError(error) }, "redis.node-error");
    else last = error;
  });
  const abort = () => client.disconnect();
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    await client.connect();
    // It is then connected, and to database 0: ioredis tells of a SELECT that was refused, and goes on.
    const lasting = lastingFault(address, last);
    if (lasting !== undefined) throw lasting;
    if (address.kind === "one" && client instanceof Redis) {
      const mode = await askMode(client);
      if (mode !== "standalone") throw otherKind(address, mode);
    }
    joined = true;
    return client;
  } catch (error) {
    client.disconnect();
    // `connect` rejects with a bare "Connection is closed."; the event before it knew the reason.
    throw error instanceof ConfigFault ? error : (last ?? error);
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
}
