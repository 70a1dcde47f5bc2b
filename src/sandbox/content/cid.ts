import { createHash } from "node:crypto";
import { base58 } from "@scure/base";

/**
 * Content addresses as IPFS writes them in version 0: base58 of a SHA-256 multihash, 46 characters that begin with
 * `Qm`. The sandbox hashes the content itself, where IPFS hashes its own block format around it.
 */
export function cidOf(content: Uint8Array): string {
  const digest = createHash("sha256").update(content).digest();
  return base58.encode(Buffer.concat([Uint8Array.of(0x12, 0x20), digest]));
}

/** What the gateway takes for base58 text: any length, also none, no `0 O I l`. */
export const isBase58 = (text: string): boolean => /^[1-9A-HJ-NP-Za-km-z]*$/.test(text);

/** The gateway's whole test of an artifact URI; it accepts far more than content addresses. */
export const isArtifactUri = (text: string): boolean => text !== "" && text.length < 100 && isBase58(text);
