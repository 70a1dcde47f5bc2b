/**
 * Where Redis is and how to log in, as `REDIS_ADDR` says it:
 *
 *     host | host:port | redis://[user:password@]host[:port][/db]             one server
 *     redis-cluster://[user:password@]host[:port][,host[:port]...]            a Cluster, by some of its nodes
 *     redis://[user:password@]host:port,host:port[,...]                       the same
 *     redis-sentinel://[user:password@]host[:port][,host[:port]...]/master[/db][?sentinel-user=U&sentinel-password=P]
 *                                                                             a primary that Sentinels know by name
 *
 * `rediss://`, `rediss-cluster://` and `rediss-sentinel://` speak TLS, `sentinel://` is short for `redis-sentinel://`.
 */
import { isIP } from "node:net";
import { ConfigFault } from "../domain/fault.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

interface Login {
  readonly username?: string;
  readonly password?: string;
}

export interface OneRedis extends Endpoint, Login {
  readonly kind: "one";
  /** Number of the logical database. */
  readonly db: number;
  /** Present for `rediss://`: speak TLS and verify the server's certificate against the host; an IP is no server's name. */
  readonly tls?: { readonly servername?: string };
}

export interface RedisCluster extends Login {
  readonly kind: "cluster";
  /** Nodes that are asked for the others. */
  readonly nodes: readonly Endpoint[];
  /** Present: TLS, each certificate verified against the host that the cluster names. */
  readonly tls?: object;
}

export interface RedisSentinel extends Login {
  readonly kind: "sentinel";
  readonly sentinels: readonly Endpoint[];
  /** The name under which the Sentinels know the primary. */
  readonly master: string;
  readonly db: number;
  /** Sentinels have passwords of their own. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** Present: TLS, to the Sentinels and to Redis. */
  readonly tls?: object;
}

export type RedisAddress = OneRedis | RedisCluster | RedisSentinel;

const HINT =
  "Write host, host:port, redis://[user:password@]host[:port][/db], redis-cluster://host:port,host:port or redis-sentinel://host:port,host:port/master-name; rediss... for TLS.";
const SENTINEL_PORT = 26379;
const REDIS_PORT = 6379;

/** Reads `REDIS_ADDR`. Throws ConfigFault REDIS_ADDRESS_INVALID, which never repeats a password. */
export function parseRedisAddress(text: string): RedisAddress {
  const trimmed = text.trim();
  const [, scheme] = /^(rediss?|rediss?-cluster|rediss?-sentinel|sentinel):\/\//i.exec(trimmed) ?? [];
  const rest = scheme === undefined ? trimmed : trimmed.slice(scheme.length + "://".length);
  const parts = { rest, secure: scheme?.toLowerCase().startsWith("rediss") ?? false };
  if (/sentinel$/i.test(scheme ?? "")) return parseSentinel(parts);
  if (/cluster$/i.test(scheme ?? "") || hostsOf(rest).includes(",")) return parseCluster(parts);
  return parseOne(scheme === undefined ? parseHostAndPort(trimmed) : parseUrl(trimmed));
}

/** The address for logs and messages: without users and passwords. */
export function describeRedisAddress(address: RedisAddress): string {
  const secure = address.tls === undefined ? "redis" : "rediss";
  switch (address.kind) {
    case "one":
      return `${address.tls === undefined ? "" : "rediss://"}${describeEndpoint(address)}${describeDb(address.db)}`;
    case "cluster":
      return `${secure}-cluster://${address.nodes.map(describeEndpoint).join(",")}`;
    case "sentinel": {
      const sentinels = address.sentinels.map(describeEndpoint).join(",");
      return `${secure}-sentinel://${sentinels}/${address.master}${describeDb(address.db)}`;
    }
  }
}

function describeEndpoint({ host, port }: Endpoint): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

const describeDb = (db: number): string => (db === 0 ? "" : `/${db}`);

/** Every host that the address names. */
export function hostsNamed(address: RedisAddress): readonly string[] {
  if (address.kind === "one") return [address.host];
  return (address.kind === "cluster" ? address.nodes : address.sentinels).map(({ host }) => host);
}

interface Parts {
  /** What follows the scheme. */
  readonly rest: string;
  readonly secure: boolean;
}

function parseOne(url: URL): OneRedis {
  const { host, port } = endpointOf(url, REDIS_PORT);
  if (url.search !== "" || url.hash !== "") throw invalid("it may not have a query or a fragment");
  return {
    kind: "one",
    host,
    port,
    db: readDatabase(url.pathname.slice(1)),
    ...loginOf(url),
    ...(url.protocol === "rediss:" && { tls: isIP(host) === 0 ? { servername: host } : {} }),
  };
}

function parseCluster({ rest, secure }: Parts): RedisCluster {
  const { hosts, path, query, login } = splitList(rest);
  if (path.length > 0 && path.join("/") !== "0") throw invalid("a Cluster has only database 0");
  if (query.size > 0) throw invalid("it may not have a query");
  return { kind: "cluster", nodes: readEndpoints(hosts, REDIS_PORT), ...login, ...(secure && { tls: {} }) };
}

function parseSentinel({ rest, secure }: Parts): RedisSentinel {
  const { hosts, path, query, login } = splitList(rest);
  const [master = "", db = "", ...more] = path.map(decode);
  if (master === "" || more.length > 0) throw invalid("behind the Sentinels it must have /master-name");
  const [username, password] = ["sentinel-user", "sentinel-password"].map((name) => query.get(name) ?? "");
  const unknown = [...query.keys()].find((name) => !/^sentinel-(user|password)$/.test(name));
  if (unknown !== undefined)
    throw invalid("its query may have sentinel-user and sentinel-password, nothing else");
  return {
    kind: "sentinel",
    sentinels: readEndpoints(hosts, SENTINEL_PORT),
    master,
    db: readDatabase(db),
    ...login,
    ...(username && { sentinelUsername: username }),
    ...(password && { sentinelPassword: password }),
    ...(secure && { tls: {} }),
  };
}

/** Of `user:password@a:1,b:2/path?query`, the part with the hosts. */
const hostsOf = (rest: string): string => {
  const [authority = ""] = rest.split(/[/?#]/, 1);
  return authority.slice(authority.lastIndexOf("@") + 1);
};

/** A URL has one host; a list is read with the first one in the place of all. */
function splitList(rest: string) {
  const hosts = hostsOf(rest);
  const [authority = ""] = rest.split(/[/?#]/, 1);
  const url = parseUrl(
    `redis://${authority.slice(0, -hosts.length || undefined)}list${rest.slice(authority.length)}`,
  );
  if (url.hash !== "") throw invalid("it may not have a fragment");
  const path = url.pathname.split("/").filter((part) => part !== "");
  return { hosts: hosts.split(","), path, query: url.searchParams, login: loginOf(url) };
}

const readEndpoints = (hosts: readonly string[], port: number): Endpoint[] =>
  hosts.map((host) => endpointOf(parseHostAndPort(host.trim()), port));

function endpointOf(url: URL, port: number): Endpoint {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (host === "") throw invalid("it names no host");
  return { host, port: readPort(url.port, port) };
}

const loginOf = (url: URL): Login => ({
  ...(url.username !== "" && { username: decode(url.username) }),
  ...(url.password !== "" && { password: decode(url.password) }),
});

function parseHostAndPort(text: string): URL {
  if (text === "" || /[\s/@?#]|:$/.test(text)) throw invalid("it is neither host:port nor a redis:// URL");
  return parseUrl(`redis://${text}`);
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw invalid("it cannot be read as an address");
  }
}

function readPort(text: string, otherwise: number): number {
  if (text === "") return otherwise;
  const port = Number(text);
  if (port === 0) throw invalid("port 0 cannot be connected to");
  return port;
}

function readDatabase(text: string): number {
  if (!/^\d{0,5}$/.test(text)) throw invalid("what follows must be the number of a database");
  return Number(text);
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
