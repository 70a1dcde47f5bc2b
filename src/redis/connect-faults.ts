/** Why a connection to Redis cannot be had, in words that say what to set. */
import { ConfigFault, describeError } from "../domain/fault.ts";
import { describeRedisAddress, type RedisAddress } from "./address.ts";
import type { ServerMode } from "./server-mode.ts";

/** Answers of a server that will not change their mind by waiting. */
const REFUSALS =
  /NOAUTH|WRONGPASS|NOPERM|invalid password|DB index is out of range|without any password configured/i;
const PROTECTED = /DENIED Redis is running in protected mode/;
const NO_CLUSTER = /cluster support disabled/i;
/** What node says of a certificate it does not accept; OpenSSL's own names for it are codes too. */
const UNTRUSTED = /^(?:ERR_TLS_CERT_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

/** What lies behind an error that only says that all was in vain. */
export function rootOf(error: unknown): unknown {
  if (error instanceof Error && "lastNodeError" in error && error.lastNodeError instanceof Error) {
    return error.lastNodeError;
  }
  return error;
}

/** The fault of a cause that no waiting helps against; `undefined` where it may. */
export function lastingFault(address: RedisAddress, cause: unknown): ConfigFault | undefined {
  const said = describeError(cause);
  if (PROTECTED.test(said)) return protectedMode(address, cause);
  if (REFUSALS.test(said)) return refused(address, cause);
  if (NO_CLUSTER.test(said)) return noCluster(address, cause);
  if (isUntrusted(cause)) return untrusted(address, cause);
  return undefined;
}

export const redisUnreachable = (address: RedisAddress, cause: unknown): ConfigFault =>
  new ConfigFault(
    "REDIS_UNREACHABLE",
    `No Redis answers at ${describeRedisAddress(address)}: ${clause(cause)}.`,
    {
      hint: "Start one, or set --redis-addr (REDIS_ADDR).",
      cause,
    },
  );

/** `one` server was named, and it is something else. */
export function otherKind(address: RedisAddress, mode: Exclude<ServerMode, "standalone">): ConfigFault {
  const redis = describeRedisAddress(address);
  const endpoint = redis.replace(/^rediss?:\/\//, "").replace(/\/\d+$/, "");
  const scheme = address.tls === undefined ? "redis" : "rediss";
  if (mode === "cluster") {
    return new ConfigFault("REDIS_IS_CLUSTER", `Redis at ${redis} is a node of a Cluster.`, {
      hint: `Write REDIS_ADDR=${scheme}-cluster://${endpoint}, with more nodes behind commas, and the password if there is one.`,
    });
  }
  return new ConfigFault("REDIS_IS_SENTINEL", `At ${redis} is a Sentinel, not a Redis that keeps anything.`, {
    hint: `Write REDIS_ADDR=${scheme}-sentinel://${endpoint}/NAME, with the name that it watches the primary under.`,
  });
}

const clause = (cause: unknown): string => describeError(cause).replace(/\.$/, "");

function isUntrusted(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && UNTRUSTED.test(String(cause.code));
}

const untrusted = (address: RedisAddress, cause: unknown): ConfigFault =>
  new ConfigFault(
    "REDIS_UNTRUSTED",
    `The certificate of Redis at ${describeRedisAddress(address)} is not accepted: ${describeError(cause).split(/[;.] /)[0]}.`,
    {
      hint: "Name the file with its authority's certificate in NODE_EXTRA_CA_CERTS, and the host as the certificate does.",
      cause,
    },
  );

const LOGIN_HINTS: Readonly<Record<RedisAddress["kind"], string>> = {
  one: "Put user, password and database into REDIS_ADDR: redis://user:password@host:port/db.",
  cluster: "Put user and password into REDIS_ADDR: redis-cluster://user:password@host:port,host:port.",
  sentinel:
    "Put user and password of Redis into REDIS_ADDR, redis-sentinel://user:password@host:port/name, and behind it those of the Sentinels where they have any: ?sentinel-user=...&sentinel-password=...",
};

const refused = (address: RedisAddress, cause: unknown): ConfigFault =>
  new ConfigFault(
    "REDIS_REFUSED",
    `Redis at ${describeRedisAddress(address)} does not let us in: ${clause(cause)}.`,
    { hint: LOGIN_HINTS[address.kind], cause },
  );

const protectedMode = (address: RedisAddress, cause: unknown): ConfigFault =>
  new ConfigFault(
    "REDIS_PROTECTED",
    `Redis at ${describeRedisAddress(address)} runs in protected mode: without a password it talks to its own machine only.`,
    { hint: "Set a password there (requirepass) and in REDIS_ADDR: redis://:password@host:port.", cause },
  );

const noCluster = (address: RedisAddress, cause: unknown): ConfigFault =>
  new ConfigFault("REDIS_NO_CLUSTER", `Redis at ${describeRedisAddress(address)} is no Cluster.`, {
    hint: "For one server write redis://host:port; a list of hosts is a Cluster's.",
    cause,
  });
