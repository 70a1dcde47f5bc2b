/**
 * Bit sets as the contract stores them: bit i, least significant first, is artifact i.
 * Source: protocol of BountyRegistry (mask, verdicts, votes are `uint256`).
 */

/** Packs at most 256 booleans. Throws RangeError past 256. */
export function packBits(flags: readonly boolean[]): bigint {
  if (flags.length > 256) throw new RangeError(`${flags.length} flags do not fit 256 bits`);
  return flags.reduce((bits, flag, index) => (flag ? bits | (1n << BigInt(index)) : bits), 0n);
}

/** The first `count` bits as booleans; bits beyond are dropped. */
export function unpackBits(bits: bigint, count: number): boolean[] {
  // A shift of 256 bits for each of them would be most of what a payout costs.
  const digits = bits.toString(2);
  return Array.from({ length: count }, (_, index) => digits[digits.length - 1 - index] === "1");
}

export const hasBit = (bits: bigint, index: number): boolean => ((bits >> BigInt(index)) & 1n) === 1n;

export function countBits(bits: bigint): number {
  let count = 0;
  for (let rest = bits; rest > 0n; rest &= rest - 1n) count++;
  return count;
}
