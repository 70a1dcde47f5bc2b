import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { ConfigFault, describeError } from "../domain/fault.ts";
import type { Logger } from "../observe/log.ts";
import { describeRedisAddress, type RedisAddress } from "./redis-address.ts";

const RETRY_EVERY_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;
const SILENCE_TIMEOUT_MS = 5_000;
/** Answers of a server that will not change their mind by waiting. */
const REFUSALS = /NOAUTH|WRONGPASS|NOPERM|invalid password|DB index is out of range/i;
/** What node says of a certificate it does not accept; OpenSSL's own names for it are codes too. */
const UNTRUSTED = /^(?:ERR_TLS_CERT_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

/**
 * What a command does while Redis is away. `fail-fast` rejects it at once, so that a bounty is not held up by a queue
 * that may be gone for minutes; `patient` holds it until Redis is back, which BullMQ's blocking reads require.
 */
export type Patience = "fail-fast" | "patient";

export interface ConnectRedisOptions {
  /** For how long to try. 0: once. */
  readonly waitMs: number;
  readonly log: Logger;
  readonly signal?: AbortSignal;
  /** Default: fail-fast. */
  readonly patience?: Patience;
}

/**
 * A connection that is ready now and reconnects by itself from then on; its errors go to the log.
 * Throws ConfigFault REDIS_UNREACHABLE when `waitMs` has passed, ConfigFault REDIS_REFUSED when the server does not
 * let us in, ConfigFault REDIS_UNTRUSTED when its certificate is not one we accept, and `signal.reason` when that aborts first.
 */
export async function connectRedis(address: RedisAddress, options: ConnectRedisOptions): Promise<Redis> {
  const { log, signal } = options;
  const redis = describeRedisAddress(address);
  const giveUpAt = performance.now() + options.waitMs;
  let told: string | undefined;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await connectOnce(address, options);
    } catch (cause) {
      if (REFUSALS.test(describeError(cause))) throw refused(redis, cause);
      if (isUntrusted(cause)) throw untrusted(redis, cause);
      const leftMs = Math.round(giveUpAt - performance.now());
      if (leftMs <= 0) throw unreachable(redis, cause);
      const why = describeError(cause);
      log[why === told ? "debug" : "warn"]({ redis, leftMs, why }, "redis.waiting");
      told = why;
      await delay(Math.min(RETRY_EVERY_MS, leftMs), undefined, signal && { signal }).catch(() => {});
    }
  }
}

/** A bounty lives for seconds: look for the server often rather than politely. */
const retryAfterMs = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 10), 1_000);

/** Whether a command would be sent right now. The socket knows of a lost connection a moment before the status does. */
export const isUsable = (redis: Redis): boolean => redis.status === "ready" && redis.stream.writable;

/** ioredis options for a connection that outlives outages. */
export function redisOptions(address: RedisAddress, patience: Patience) {
  return {
    ...address,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Longer than any blocking read of ours: a connection that says nothing for so long is dead, whatever TCP thinks.
    socketTimeout: SILENCE_TIMEOUT_MS,
    retryStrategy: retryAfterMs,
    ...(patience === "fail-fast"
      ? { enableOfflineQueue: false, maxRetriesPerRequest: 0 }
      : { maxRetriesPerRequest: null }),
  };
}

async function connectOnce(address: RedisAddress, options: ConnectRedisOptions): Promise<Redis> {
  let joined = false;
  const client = new Redis({
    ...redisOptions(address, options.patience ?? "fail-fast"),
    lazyConnect: true,
    // Until the first success the loop above is the one that retries.
    retryStrategy: (attempt) => (joined ? retryAfterMs(attempt) : null),
  });
  let last: unknown;
  // One warning an outage; the attempts that follow it fail alike.
  let warned = false;
  client.on("ready", () => {
    if (warned) options.log.info({ redis: describeRedisAddress(address) }, "redis.back");
    warned = false;
  });
  client.on("error", (error: Error) => {
    last = error;
    if (joined) options.log[warned ? "debug" : "warn"]({ why: describeError(error) }, "redis.error");
    warned = joined;
  });
  const abort = () => client.disconnect();
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    await client.connect();
    // It is then connected, and to database 0: ioredis tells of a SELECT that was refused, and goes on.
    if (REFUSALS.test(describeError(last))) throw last;
    joined = true;
    return client;
  } catch (error) {
    client.disconnect();
    // `connect` rejects with a bare "Connection is closed."; the event before it knew the reason.
    throw last ?? error;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
}

const clause = (cause: unknown): string => describeError(cause).replace(/\.$/, "");

const unreachable = (redis: string, cause: unknown): ConfigFault =>
  new ConfigFault("REDIS_UNREACHABLE", `No Redis answers at ${redis}: ${clause(cause)}.`, {
    hint: "Start one, or set --redis-addr (REDIS_ADDR).",
    cause,
  });

const isUntrusted = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && UNTRUSTED.test(String(cause.code));

const untrusted = (redis: string, cause: unknown): ConfigFault =>
  new ConfigFault(
    "REDIS_UNTRUSTED",
    `The certificate of Redis at ${redis} is not accepted: ${describeError(cause).split(/[;.] /)[0]}.`,
    {
      hint: "Name the file with its authority's certificate in NODE_EXTRA_CA_CERTS, and the host as the certificate does.",
      cause,
    },
  );

const refused = (redis: string, cause: unknown): ConfigFault =>
  new ConfigFault("REDIS_REFUSED", `Redis at ${redis} does not let us in: ${clause(cause)}.`, {
    hint: "Put user, password and database into REDIS_ADDR: redis://user:password@host:port/db.",
    cause,
  });
