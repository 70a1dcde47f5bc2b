/**
 * Requests to URLs that come from elsewhere and not from this program's settings: https, to public addresses only, so that a URL
 * leads to nothing within the operator's network.
 *
 * An address is checked where the connection is made: what a name resolves to is looked up once, checked, and is what is
 * connected to. A name that resolves to something else a moment later gains nothing. Each redirect is checked in the same way.
 *
 * Through a proxy, the proxy looks names up, and where it connects to is its decision: only an address that stands in the URL
 * itself is checked then.
 */
import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { Agent, buildConnector, type Dispatcher, request } from "undici";
import { isArtifactUrl } from "../domain/artifact.ts";
import { Fault } from "../domain/fault.ts";
import { type ConnectionOptions, openDispatcher } from "./dispatcher.ts";
import type { HttpProxy } from "./proxy.ts";
import { isPublicAddress } from "./public-address.ts";
import { redirectTarget } from "./redirect.ts";

/** How URLs are reached. */
export interface PublicAccess {
  /** What a URL is asked through. Default: nothing. Throws ConfigFault for a proxy that is none. */
  readonly proxyFor?: (url: URL) => HttpProxy | undefined;
  /** Whether an address may be connected to. Default: the public ones. */
  readonly mayConnect?: (address: string) => boolean;
  /** Every address of a name. Default: as the system has them. */
  readonly resolve?: (name: string) => Promise<readonly LookupAddress[]>;
  /** Certificates that are trusted, as PEM. Default: those of Node. */
  readonly ca?: string;
}

const MOST_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export class PublicRequests implements AsyncDisposable {
  readonly #access: PublicAccess;
  readonly #mayConnect: (address: string) => boolean;
  readonly #options: ConnectionOptions;
  readonly #direct: Dispatcher;
  /** By the URL of the proxy. */
  readonly #proxied = new Map<string, Dispatcher>();

  constructor(access: PublicAccess, options: ConnectionOptions) {
    const { mayConnect = isPublicAddress, ca } = access;
    const { connectTimeout = 10_000, ...rest } = options;
    this.#access = access;
    this.#mayConnect = mayConnect;
    this.#options = { ...options, ...(ca === undefined ? {} : { ca }) };
    this.#direct = new Agent({ ...rest, connect: this.#connector(connectTimeout) });
  }

  /**
   * The answer, redirects followed. Throws Fault URL_REFUSED for a URL, or a redirect, to what may not be asked, and for too many
   * redirects; and what a request throws.
   */
  async get(
    start: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    let url = start;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await request(url, { dispatcher: this.#dispatcherFor(url), headers, signal });
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.statusCode) || typeof location !== "string") return answer;
      // An answer that is left unread emits an error about that, which is ignored.
      answer.body.on("error", () => {}).destroy();
      url = nextUrl(url, answer.statusCode, location);
    }
    throw new Fault("URL_REFUSED", `The URL leads on more than ${MOST_REDIRECTS} times.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#direct, ...this.#proxied.values()].map((dispatcher) => dispatcher.destroy()));
  }

  #dispatcherFor(text: string): Dispatcher {
    const url = new URL(text);
    // No name is looked up for an address that stands in the URL, so that it is checked here.
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (isIP(host) !== 0) this.#check(host);
    const proxy = this.#access.proxyFor?.(url);
    if (proxy === undefined) return this.#direct;
    const known = this.#proxied.get(proxy.url);
    if (known !== undefined) return known;
    const opened = openDispatcher(proxy, this.#options);
    this.#proxied.set(proxy.url, opened);
    return opened;
  }

  #connector(timeout: number): buildConnector.connector {
    const { resolve = everyAddress, ca } = this.#access;
    const checked = async (name: string): Promise<LookupAddress[]> => {
      const found = await resolve(name);
      for (const { address } of found) this.#check(address);
      return [...found];
    };
    const lookupChecked: LookupFunction = (name, _options, callback) => {
      checked(name).then(
        (found) => callback(null, found),
        (error: NodeJS.ErrnoException) => callback(error, []),
      );
    };
    return buildConnector({
      timeout,
      ...(ca === undefined ? {} : { ca }),
      lookup: lookupChecked,
      // Asks `lookup` for all addresses of a name; the process could have it set otherwise.
      autoSelectFamily: true,
    });
  }

  #check(address: string): void {
    if (this.#mayConnect(address)) return;
    throw new Fault("URL_REFUSED", `The URL leads to ${address}, which is no public address.`);
  }
}

const everyAddress = (name: string): Promise<readonly LookupAddress[]> => lookup(name, { all: true });

function nextUrl(asked: string, statusCode: number, location: string): string {
  const next = URL.parse(location, asked)?.href ?? "";
  if (isArtifactUrl(next)) return next;
  const target = redirectTarget(asked, { statusCode, location }) ?? "something else";
  throw new Fault("URL_REFUSED", `The URL leads to ${target} (HTTP ${statusCode}), which is not asked.`);
}
