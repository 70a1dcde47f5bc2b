import type { Branded } from "./brand.ts";

/** An Ethereum address, `0x` and 40 hex digits, in whatever case it came. Compare with `sameAddress`. */
export type Address = Branded<string, "Address">;

export const isAddress = (text: string): text is Address => /^0x[0-9a-fA-F]{40}$/.test(text);

/** Throws RangeError when the text is not an address. Does not verify the EIP-55 checksum. */
export function parseAddress(text: string): Address {
  if (!isAddress(text)) throw new RangeError(`"${text}" is not an address`);
  return text;
}

export const sameAddress = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
