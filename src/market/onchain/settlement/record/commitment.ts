import { keccak256 } from "web3-utils";

/** `uint256(keccak256(be32(value)))`. Throws RangeError beyond 256 bits. */
function hashWord(value: bigint): bigint {
  if (value < 0n || value >= 1n << 256n) throw new RangeError(`${value} does not fit 256 bits`);
  return BigInt(keccak256(Buffer.from(value.toString(16).padStart(64, "0"), "hex")));
}

/**
 * Binds an expert to verdicts without showing them: `keccak(verdicts ^ keccak(nonce) ^ account)`, every word 32 bytes
 * big-endian. The account is in it so that no account can copy the commitment of another.
 * Throws RangeError for nonce 0, which the contract lets no account reveal.
 */
export function commitment(account: string, verdicts: bigint, nonce: bigint): bigint {
  if (nonce === 0n) throw new RangeError("a commitment with nonce 0 can never be revealed");
  return hashWord(verdicts ^ hashWord(nonce) ^ BigInt(account));
}
