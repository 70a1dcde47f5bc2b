import { ConfigFault } from "./fault.ts";

/** Producer and consumer read the address of a marketplace's gateway with the same eyes. */

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Names and IP addresses. The URL standard lets more pass than any name server knows, such as "ht!tp". */
const HOST = /^(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?\.?|\[[0-9a-f:.]+\])$/;
/** "https//host", "http:/host", "https:host": a scheme that was meant, and not written. */
const MISWRITTEN_SCHEME = /^(?:\/|:|https?(?::?\/|:(?!\d+(?:\/|$))))/i;

/** Whether `parseGatewayAddress` has to take https for granted. */
export const namesNoScheme = (text: string): boolean => !SCHEME.test(text.trim());

/**
 * The base URL of a gateway, with its path prefix and without trailing slashes; `https` when no scheme is given.
 * Throws ConfigFault POLYSWARMD_ADDRESS_INVALID.
 */
export function parseGatewayAddress(text: string): string {
  const given = text.trim();
  const noScheme = namesNoScheme(given);
  const url = URL.parse(noScheme ? `https://${given}` : given);
  const why =
    url === null || !HOST.test(url.hostname) || (noScheme && MISWRITTEN_SCHEME.test(given))
      ? "is not a web address"
      : !/^https?:$/.test(url.protocol)
        ? "is neither http nor https"
        : url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== ""
          ? "carries more than a host and a path"
          : undefined;
  if (url === null || why !== undefined) {
    // Whatever stands before an "@" may be a password.
    const shown = given.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/i, "$1...@");
    throw new ConfigFault("POLYSWARMD_ADDRESS_INVALID", `The polyswarmd address "${shown}" ${why}.`, {
      hint: "Give --polyswarmd-addr something like https://gateway.example/v1/default or http://localhost:31337.",
    });
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/** Throws ConfigFault API_KEY_OVER_HTTP when a key would travel in the clear without leave to do so. */
export function refuseKeyOverHttp(
  base: string,
  apiKey: string | undefined,
  options: { readonly allowed: boolean },
): void {
  if (!apiKey || options.allowed || !base.startsWith("http:")) return;
  throw new ConfigFault("API_KEY_OVER_HTTP", "Refusing to send the API key over plain http.", {
    hint: "Use an https address, or --allow-key-over-http if the network between is yours.",
  });
}
