import { isIPv6 } from "node:net";
import { ConfigFault } from "../../domain/fault.ts";

/** Where a clamd listens, as `net.connect` takes it. */
export type ClamdAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** clamd's own TCPSocket in every example of its configuration. */
export const CLAMD_PORT = 3310;

/**
 * Reads `HOST`, `HOST:PORT`, `[IPV6]:PORT`, a bare IPv6 address, or the path of a unix socket (anything with a slash; a
 * leading `unix:` is taken too). Throws ConfigFault CLAMD_ADDRESS_INVALID.
 */
export function parseClamdAddress(text: string): ClamdAddress {
  const path = text.replace(/^unix:(?:\/\/)?/, "");
  if (path.includes("/") && !path.includes("://")) return { path };
  const [, bracketed, named, digits] = /^(?:\[([^\]\s]+)\]|([^[\]:\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const ipv6 = [bracketed, text].find((candidate) => candidate !== undefined && isIPv6(candidate));
  const host = named ?? ipv6;
  const port = Number(digits ?? CLAMD_PORT);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new ConfigFault("CLAMD_ADDRESS_INVALID", `"${text}" is no address of a clamd.`, {
      hint: "Give HOST, HOST:PORT or the path of its unix socket to --clamd (variables CLAMD_HOST, CLAMD_PORT, CLAMD_SOCKET).",
    });
  }
  return { host, port };
}

/** For people. */
export const formatClamdAddress = (address: ClamdAddress): string =>
  "path" in address
    ? address.path
    : `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
