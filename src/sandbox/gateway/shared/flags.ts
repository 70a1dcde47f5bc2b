import { hasBit, unpackBits } from "../../../domain/bits.ts";

/**
 * A bit set as the gateway writes it: padded with false to `count`, and longer than that when bits beyond it are set.
 */
export function paddedFlags(bits: bigint, count: number): boolean[] {
  return unpackBits(bits, Math.max(count, bits === 0n ? 0 : bits.toString(2).length));
}

/** The set bits' indices, lowest first. */
export const setBits = (bits: bigint): number[] =>
  Array.from({ length: 256 }, (_, index) => index).filter((index) => hasBit(bits, index));
