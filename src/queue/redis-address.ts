import { isIP } from "node:net";
import { ConfigFault } from "../domain/fault.ts";

/** Where a Redis server is and how to log in; the part of ioredis' options that an address can say. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** Number of the logical database. */
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** Present for `rediss://`: speak TLS and verify the server's certificate against the host; an IP is no server's name. */
  readonly tls?: { readonly servername?: string };
}

const HINT = "Write host, host:port, redis://[user:password@]host[:port][/db] or rediss://... for TLS.";

/** Reads `REDIS_ADDR`. Throws ConfigFault REDIS_ADDRESS_INVALID, which never repeats a password. */
export function parseRedisAddress(text: string): RedisAddress {
  const trimmed = text.trim();
  const url = /^rediss?:\/\//i.test(trimmed) ? parseUrl(trimmed) : parseHostAndPort(trimmed);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (host === "") throw invalid("it names no host");
  if (url.search !== "" || url.hash !== "") throw invalid("it may not have a query or a fragment");
  return {
    host,
    port: readPort(url.port),
    db: readDatabase(url.pathname),
    ...(url.username !== "" && { username: decode(url.username) }),
    ...(url.password !== "" && { password: decode(url.password) }),
    ...(url.protocol === "rediss:" && { tls: isIP(host) === 0 ? { servername: host } : {} }),
  };
}

/** The address for logs and messages: without user and password. */
export function describeRedisAddress(address: RedisAddress): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  const scheme = address.tls === undefined ? "" : "rediss://";
  return `${scheme}${host}:${address.port}${address.db === 0 ? "" : `/${address.db}`}`;
}

function parseHostAndPort(text: string): URL {
  if (/[\s/@?#]|:$/.test(text)) throw invalid("it is neither host:port nor a redis:// URL");
  return parseUrl(`redis://${text}`);
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw invalid("it cannot be read as an address");
  }
}

function readPort(text: string): number {
  if (text === "") return 6379;
  const port = Number(text);
  if (port === 0) throw invalid("port 0 cannot be connected to");
  return port;
}

function readDatabase(path: string): number {
  const [, digits] = /^\/?(\d{0,5})$/.exec(path) ?? [];
  if (digits === undefined) throw invalid("what follows the host must be the number of a database");
  return Number(digits);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid("its user or password is not percent-encoded");
  }
}

const invalid = (why: string): ConfigFault =>
  new ConfigFault("REDIS_ADDRESS_INVALID", `The Redis address is malformed: ${why}.`, { hint: HINT });
