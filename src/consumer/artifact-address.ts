/**
 * Where artifacts are fetched from: this consumer's own gateway, never an address that came with a job. A
 * stranger who can write to the queue could otherwise send the API key anywhere, or ask for any path of the gateway.
 */
import { MAX_ARTIFACTS } from "../domain/artifact.ts";
import { parseGatewayAddress, refuseKeyOverHttp } from "../domain/gateway-address.ts";
import type { HttpProxy } from "../http/proxy.ts";

export interface GatewayAccess {
  /** Base URL, may carry a path prefix; without a scheme it means https. */
  readonly polyswarmdAddr: string;
  readonly apiKey?: string;
  readonly allowKeyOverHttp: boolean;
  /** What the gateway is asked through. Default: nothing. */
  readonly proxy?: HttpProxy | undefined;
}

/** Throws ConfigFault POLYSWARMD_ADDRESS_INVALID, or API_KEY_OVER_HTTP when the key would travel in clear. */
export function gatewayBase({ polyswarmdAddr, apiKey, allowKeyOverHttp }: GatewayAccess): string {
  const base = parseGatewayAddress(polyswarmdAddr);
  refuseKeyOverHttp(base, apiKey, { allowed: allowKeyOverHttp });
  return base;
}

const BASE58 = /^[1-9A-HJ-NP-Za-km-z]{1,99}$/;
const SHA256_HEX = /^[0-9a-fA-F]{64}$/;

/** A content address as gateways know them: a base58 CID, or a SHA-256. Nothing else may become part of a path. */
const isArtifactUri = (uri: string): boolean => BASE58.test(uri) || SHA256_HEX.test(uri);

/** `undefined` when the URI or the index is none. */
export function artifactUrl(base: string, uri: string, index: number): string | undefined {
  const valid = isArtifactUri(uri) && Number.isInteger(index) && index >= 0 && index < MAX_ARTIFACTS;
  return valid ? `${base}/artifacts/${uri}/${index}` : undefined;
}
