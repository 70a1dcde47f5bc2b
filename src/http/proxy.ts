/**
 * Which proxy a request goes through, as the environment says: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, `ALL_PROXY` for
 * what has none of its own, and `NO_PROXY` for the hosts that are asked directly. The names may be in lower case, which then
 * win. What is not set, or empty, means no proxy.
 */
import { BlockList, isIP } from "node:net";
import { ConfigFault } from "../domain/fault.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface HttpProxy {
  /** With its user and password, if any: not for people. */
  readonly url: string;
  /** The variable that names it. */
  readonly variable: string;
}

/** The proxy for a target with this URL (http, https, ws or wss). Throws ConfigFault PROXY_INVALID when it is none. */
export function proxyFor(target: URL, env: Environment): HttpProxy | undefined {
  const secure = target.protocol === "https:" || target.protocol === "wss:";
  const names = [secure ? "HTTPS_PROXY" : "HTTP_PROXY", "ALL_PROXY"];
  const variable = names
    .flatMap((name) => [name.toLowerCase(), name])
    .find((name) => (env[name] ?? "").trim() !== "");
  if (variable === undefined || isExempt(target, lowerOrUpper("NO_PROXY", env))) return undefined;
  return { url: parseProxy(env[variable]!, variable), variable };
}

/** The proxy for people and logs: without user and password. */
export const describeProxy = ({ url }: HttpProxy): string => new URL(url).origin;

/** What a request to the proxy itself carries, if anything. */
export function proxyAuthorization({ url }: HttpProxy): Readonly<Record<string, string>> {
  const { username, password } = new URL(url);
  if (username === "") return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
}

const lowerOrUpper = (name: string, env: Environment): string => env[name.toLowerCase()] || env[name] || "";

function parseProxy(text: string, variable: string): string {
  const given = text.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`);
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "" && isDecodable(url))
    return url.href;
  // What stands before an "@" may be a password.
  const shown = given.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/i, "$1...@");
  throw new ConfigFault(
    "PROXY_INVALID",
    `"${shown}" in the variable ${variable} is no proxy that can be used.`,
    {
      hint: "Write http://[user:password@]host:port, or leave the variable empty.",
    },
  );
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(`${username}:${password}`);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a list of hosts, separated by commas or blanks, has the target: `*`, a name (its subdomains too), `.name` and
 * `*.name` (subdomains and the name), an address, a network such as `10.0.0.0/8`; each but the last with `:port` if wanted.
 */
function isExempt(target: URL, list: string): boolean {
  const host = target.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  const port = target.port || (/^(?:https|wss):$/.test(target.protocol) ? "443" : "80");
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => covers(entry, host, port));
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isWithin(entry, host);
  // A bare IPv6 address has colons of its own.
  const bare = isIP(entry) === 6 ? entry : undefined;
  const [, bracketed = bare, named, wantedPort] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? [];
  const name = bracketed ?? named?.replace(/^\*?\./, "").replace(/\.$/, "");
  if (name === undefined || (wantedPort !== undefined && wantedPort !== port)) return false;
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function isWithin(network: string, host: string): boolean {
  const [address = "", bits = ""] = network.split("/");
  const family = isIP(address);
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(bits)) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  if (Number(bits) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), type);
  return list.check(host, type);
}
