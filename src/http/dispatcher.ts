/** Connections to one origin: direct, or through the proxy that the environment names for it. */
import { Agent, type Dispatcher, Pool, ProxyAgent } from "undici";
import { type HttpProxy, proxyAuthorization } from "./proxy.ts";

/** Of the connections. */
export interface ConnectionOptions {
  /** At the same time. Default: no limit. */
  readonly connections?: number;
  readonly keepAliveTimeout: number;
  /** Milliseconds; default 10 s. */
  readonly connectTimeout?: number;
  readonly headersTimeout?: number;
  readonly bodyTimeout?: number;
  /** Bytes of an answer as they come, before they are decoded. */
  readonly maxResponseSize?: number;
  /** Certificates that are trusted, as PEM. Default: those of Node. */
  readonly ca?: string;
}

export function openDispatcher(proxy: HttpProxy | undefined, options: ConnectionOptions): Dispatcher {
  const { connectTimeout = 10_000, ca, ...rest } = options;
  const trust = ca === undefined ? {} : { ca };
  if (proxy === undefined) return new Agent({ ...rest, connect: { timeout: connectTimeout, ...trust } });
  const authorization = proxyAuthorization(proxy)["proxy-authorization"];
  return new ProxyAgent({
    ...rest,
    uri: proxy.url,
    ...(authorization === undefined ? {} : { token: authorization }),
    connectTimeout,
    requestTls: trust,
    // http is forwarded, https tunnelled: many proxies open no tunnel but to port 443.
    proxyTunnel: false,
    // The agent makes pools for requests that are forwarded from its own connector alone, without these options.
    factory: (origin, given) => new Pool(origin, { ...rest, ...given }),
  });
}
