import { ConfigFault } from "../../../domain/fault.ts";
import { describeProxy, type HttpProxy } from "../../../http/proxy.ts";
import { MarketFault } from "./answer.ts";

/** Where we look for a gateway. */
export interface GatewayAddress {
  /** As `parseGatewayAddress` gives it. */
  readonly base: string;
  /** The operator named no scheme, so https was taken for granted. */
  readonly schemeAssumed: boolean;
  /** What it is asked through. */
  readonly proxy?: HttpProxy | undefined;
}

/** What went wrong at an address, for an operator who knows nothing of our requests: a clause to follow a colon. */
export function whyUnreachable(address: GatewayAddress, fault: MarketFault): string {
  const { proxy } = address;
  const why = withoutProxy(address, fault);
  if (proxy === undefined) return why;
  const named = `the proxy ${describeProxy(proxy)} (variable ${proxy.variable})`;
  // Only the proxy is connected to: what goes wrong on the way goes wrong there.
  return fault.code === "MARKET_UNREACHABLE"
    ? `${named} did not get us there: ${proxySaid(fault)}`
    : `${why}; it was asked through ${named}`;
}

/** undici puts the status of a proxy's refusal into a sentence. */
function proxySaid({ cause }: MarketFault): string {
  const { code, message = "" } = (cause ?? {}) as { readonly code?: string; readonly message?: string };
  const [status] = /\b\d{3}\b/.exec(message) ?? [];
  if (/proxy/i.test(message) && status !== undefined) return `it answers HTTP ${status}`;
  return code ?? (message || "network error");
}

function withoutProxy({ base, schemeAssumed }: GatewayAddress, fault: MarketFault): string {
  switch (fault.code) {
    case "MARKET_REDIRECTED":
      return redirected(base, fault);
    case "MARKET_TIMEOUT":
      return "nothing answered in time";
    case "MARKET_NOT_FOUND":
    case "MARKET_REFUSED":
      return `what answers there is not a polyswarmd (${said(fault)})`;
    case "MARKET_FAILED":
      return `something answers there, but only to say that it fails (${said(fault)})`;
    case "MARKET_ANSWER_UNREADABLE":
    case "MARKET_ANSWER_TOO_LARGE":
      return `what answers there is not a polyswarmd: ${clause(fault.message)}`;
    case "MARKET_UNREACHABLE":
      return inTransit(codeOf(fault), base.startsWith("https:") ? { schemeAssumed } : undefined);
    default:
      return clause(fault.message);
  }
}

/** `why` is a clause; `cause` decides whether it is the API key rather than the address. */
export function gatewayUnreachable(address: GatewayAddress, why: string, cause: unknown): ConfigFault {
  const { base } = address;
  if (cause instanceof MarketFault && cause.code === "MARKET_UNAUTHORIZED") {
    const hint = "Check --api-key.";
    return new ConfigFault("API_KEY_REFUSED", `The gateway at ${base} refuses our API key.`, { hint, cause });
  }
  const hint = "Check --polyswarmd-addr, with its path; --wait says how long to keep trying.";
  return new ConfigFault("POLYSWARMD_UNREACHABLE", `There is no working polyswarmd at ${base}: ${why}.`, {
    hint,
    cause,
  });
}

function redirected(base: string, { status, messages }: MarketFault): string {
  const [target, meant] = messages;
  const advice = meant === undefined || meant === base ? "" : `; give ${meant} if that is the marketplace`;
  return `what answers there points to ${target} (HTTP ${status})${advice}`;
}

/** Where no connection came about. */
const NO_CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing answers there",
  ENOTFOUND: "no host of that name is known",
  EAI_AGAIN: "its name cannot be looked up at the moment",
  EHOSTUNREACH: "no way leads to that host",
  ENETUNREACH: "no way leads to that host",
  ETIMEDOUT: "nothing answers there",
  UND_ERR_CONNECT_TIMEOUT: "nothing answers there",
};

/** OpenSSL's words for bytes that are no TLS, and a server that hangs up on ours. */
const NOT_TLS = /^(?:ERR_SSL_|EPROTO$|ECONNRESET$|UND_ERR_SOCKET$)/;
const DISTRUSTED = /CERT|ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY/;

function inTransit(code: string, https: { readonly schemeAssumed: boolean } | undefined): string {
  const assumed = https?.schemeAssumed === true ? "; https was assumed, as the address names no scheme" : "";
  const none = NO_CONNECTION[code];
  if (none !== undefined) return `${none} (${code})${assumed}`;
  if (https !== undefined && DISTRUSTED.test(code)) {
    return `the certificate of what answers there is not trusted (${code})${assumed}`;
  }
  if (https !== undefined && NOT_TLS.test(code)) {
    return `what answers there does not speak https (${code})${assumed}`;
  }
  return `the connection broke (${code})${assumed}`;
}

function codeOf({ cause }: MarketFault): string {
  const { code, message } = (cause ?? {}) as { readonly code?: string; readonly message?: string };
  return code ?? message ?? "network error";
}

const said = ({ status, messages }: MarketFault): string =>
  [`HTTP ${status ?? "without a status"}`, ...messages].join(": ").slice(0, 200);

const clause = (sentence: string): string => sentence.replace(/^The /, "the ").replace(/\.$/, "");
