/** A client of ioredis for each way in which Redis is run, and what is asked of all three alike. */
import { Cluster, Redis, type RedisOptions } from "ioredis";
import { backoff } from "../async/backoff.ts";
import { describeError } from "../domain/fault.ts";
import type { OneRedis, RedisAddress, RedisCluster, RedisSentinel } from "./address.ts";

export type RedisClient = Redis | Cluster;

/**
 * What a command does while Redis is away. `fail-fast` rejects it at once, so that a bounty is not held up by a queue
 * that may be gone for minutes; `patient` holds it until Redis is back, which BullMQ's blocking reads require.
 */
export type CommandPatience = "fail-fast" | "patient";

/** Milliseconds until the next attempt to connect; `null` ends the attempts. */
type Retry = (attempt: number) => number | null;

const CONNECT_TIMEOUT_MS = 5_000;
const SILENCE_TIMEOUT_MS = 5_000;
/** A Sentinel that is alive knows its primary by heart. */
const SENTINEL_TIMEOUT_MS = 2_000;
const SLOTS_TIMEOUT_MS = 2_000;
/** How often a Cluster is asked which node has what; a node that has moved tells of it, too. */
const SLOTS_EVERY_MS = 2_000;

/** A bounty lives for seconds: look for the server often rather than politely. */
export const retryAfterMs = (attempt: number): number => backoff(attempt, { firstMs: 100, longestMs: 1_000 });

/** A client that connects when it is told to, or is first used. */
export function createClient(
  address: RedisAddress,
  patience: CommandPatience,
  retry: Retry = retryAfterMs,
): RedisClient {
  if (address.kind === "cluster") return createCluster(address, patience, retry);
  return new Redis({ ...redisOptions(address, patience, retry), lazyConnect: true });
}

/** What went wrong with a command; a Cluster's client says how often it tried first. */
export const describeRedisError = (error: unknown): string =>
  describeError(error).replace(/^Too many Cluster redirections\. Last error: (?:\w*Error: )?/, "");

/** Whether a command would be sent right now. The socket knows of a lost connection a moment before the status does. */
export function isUsable(redis: RedisClient): boolean {
  if (redis.status !== "ready") return false;
  return redis instanceof Cluster || redis.stream.writable;
}

/**
 * What BullMQ makes a connection of its own from. It copies a client's settings where it is given one, and only so
 * learns of a Cluster; the client itself is then never connected.
 */
export const connectionOf = (address: RedisAddress, patience: CommandPatience) =>
  address.kind === "cluster"
    ? createCluster(address, patience, retryAfterMs)
    : redisOptions(address, patience, retryAfterMs);

function redisOptions(address: OneRedis | RedisSentinel, patience: CommandPatience, retry: Retry) {
  const basics = {
    ...nodeOptions(address, patience),
    db: address.db,
    enableOfflineQueue: patience === "patient",
    retryStrategy: retry,
  };
  if (address.kind === "one") {
    const { host, port } = address;
    return { ...basics, host, port } satisfies RedisOptions;
  }
  const { sentinels, master, sentinelUsername, sentinelPassword, tls } = address;
  return {
    ...basics,
    sentinels: sentinels.map((endpoint) => ({ ...endpoint })),
    name: master,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    sentinelRetryStrategy: retry,
    // A primary that was demoted may keep its connections, and refuses writes.
    failoverDetector: true,
    reconnectOnError: ({ message }: Error) => message.startsWith("READONLY"),
  } satisfies RedisOptions;
}

function createCluster(address: RedisCluster, patience: CommandPatience, retry: Retry): Cluster {
  const startup = address.nodes.map((endpoint) => ({ ...endpoint }));
  return new Cluster(startup, {
    lazyConnect: true,
    enableOfflineQueue: patience === "patient",
    // It would leave `connect` without an end on a Cluster that is not whole; commands tell of that, too.
    enableReadyCheck: false,
    slotsRefreshTimeout: SLOTS_TIMEOUT_MS,
    slotsRefreshInterval: SLOTS_EVERY_MS,
    clusterRetryStrategy: retry,
    redisOptions: nodeOptions(address, patience),
    // A certificate names a host; ioredis would make an address of it first.
    ...(address.tls === undefined ? {} : { dnsLookup: asItIs }),
  });
}

const asItIs = (host: string, done: (error: null, address: string) => void): void => done(null, host);

/** For each server by itself; an option that is not there is left out, not undefined. */
function nodeOptions({ username, password, tls }: RedisAddress, patience: CommandPatience) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: { ...tls } }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Longer than any blocking read of ours: a connection that says nothing for so long is dead, whatever TCP thinks.
    socketTimeout: SILENCE_TIMEOUT_MS,
    maxRetriesPerRequest: patience === "patient" ? null : 0,
  };
}
