import type { ChainName } from "../../domain/chain.ts";
import { ConfigFault } from "../../domain/fault.ts";

/**
 * The base URL of a gateway, with its path prefix and without trailing slashes; `https` when no scheme is given.
 * Throws ConfigFault POLYSWARMD_ADDRESS_INVALID.
 */
export function parseGatewayAddress(text: string): string {
  const given = text.trim();
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `https://${given}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  const why =
    url === undefined || url.hostname === ""
      ? "is not a web address"
      : !/^https?:$/.test(url.protocol)
        ? "is neither http nor https"
        : url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== ""
          ? "carries more than a host and a path"
          : undefined;
  if (url === undefined || why !== undefined) {
    throw new ConfigFault("POLYSWARMD_ADDRESS_INVALID", `The polyswarmd address "${given}" ${why}.`, {
      hint: "Give --polyswarmd-addr something like https://gateway.example/v1/default or http://localhost:31337.",
    });
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/** Where the gateway streams the events of a chain. */
export const eventsUrl = (base: string, chain: ChainName): string =>
  `${base.replace("http", "ws")}/events/?chain=${chain}`;

/** Throws ConfigFault API_KEY_OVER_HTTP when a key would travel in the clear without leave to do so. */
export function refuseKeyOverHttp(
  base: string,
  apiKey: string | undefined,
  options: { readonly allowed: boolean },
): void {
  if (apiKey === undefined || options.allowed || !base.startsWith("http:")) return;
  throw new ConfigFault("API_KEY_OVER_HTTP", "Refusing to send the API key over plain http.", {
    hint: "Use an https address, or --allow-key-over-http if the network between is yours.",
  });
}
