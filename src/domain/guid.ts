import type { Branded } from "./brand.ts";

/** Id of a bounty: the UUID text of a 128-bit integer, lower case. Any 128 bits are valid, not only version 4. */
export type Guid = Branded<string, "Guid">;

const SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isGuid = (text: string): text is Guid => SHAPE.test(text);

/** Throws RangeError when the text is not UUID shaped. */
export function parseGuid(text: string): Guid {
  const lower = text.toLowerCase();
  if (!isGuid(lower)) throw new RangeError(`"${text}" is not a GUID`);
  return lower;
}

/** The `uint128` that the contract knows the bounty by. */
export const guidToUint = (guid: Guid): bigint => BigInt(`0x${guid.replaceAll("-", "")}`);

/** Throws RangeError beyond 128 bits. */
export function uintToGuid(value: bigint): Guid {
  if (value < 0n || value >= 1n << 128n) throw new RangeError(`${value} does not fit 128 bits`);
  const hex = value.toString(16).padStart(32, "0");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    "-",
  ) as Guid;
}
