import { utils } from "web3";

const BITS = 2048;
const WORD = 256n;

/** The filter a bounty carries over its artifacts' content addresses; eight words, the most significant first. */
export function bloomOf(cids: readonly string[]): bigint[] {
  const value = cids.flatMap(bloomBits).reduce((bits, bit) => bits | (1n << BigInt(bit)), 0n);
  return Array.from({ length: 8 }, (_, word) => BigInt.asUintN(256, value >> (WORD * BigInt(7 - word))));
}

/** Eight bit positions out of the first sixteen bytes of the Keccak hash of the address's text. */
export function bloomBits(cid: string): number[] {
  const hash = utils.hexToBytes(utils.keccak256(Buffer.from(cid, "utf8")));
  return Array.from({ length: 8 }, (_, i) => (hash[2 * i]! * 256 + hash[2 * i + 1]!) % BITS);
}
