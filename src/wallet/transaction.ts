import type { Address } from "../domain/address.ts";
import type { Guid } from "../domain/guid.ts";
import type { Nct } from "../domain/nct.ts";

/** An unsigned legacy transaction as a gateway hands it over. Nothing in it is trusted. */
export interface UnsignedTransaction {
  readonly nonce: bigint;
  readonly chainId: bigint;
  readonly gas: bigint;
  readonly gasPrice: bigint;
  readonly to: Address;
  readonly value: bigint;
  /** `0x` and an even number of hex digits. */
  readonly data: string;
}

export interface SignedTransaction {
  /** RLP as hex, without `0x`, as the gateway wants it. */
  readonly raw: string;
  /** `0x` and 64 hex digits; computed here, never taken from an answer. */
  readonly hash: string;
  readonly nonce: bigint;
}

/** What is to be done on the market, in our own words. A transaction is signed only if it does exactly this. */
export type Action =
  | {
      readonly kind: "assert";
      readonly guid: Guid;
      /** One per set bit of `mask`, lowest bit first. */
      readonly bids: readonly Nct[];
      readonly mask: bigint;
      readonly commitment: bigint;
      /** The approval must be exactly the bids and this fee. */
      readonly fee: Nct;
    }
  | {
      readonly kind: "reveal";
      readonly guid: Guid;
      readonly index: number;
      readonly nonce: bigint;
      readonly verdicts: bigint;
      readonly metadata: string;
    }
  | { readonly kind: "settle"; readonly guid: Guid };

/** The wallet, as the rest of the producer sees it: an address, and signatures on what is understood. */
export interface Signer {
  /** EIP-55 checksum form. */
  readonly address: Address;
  /**
   * Checks every transaction field by field against the action and signs them with the nonces `firstNonce`,
   * `firstNonce + 1`, ... Throws a Fault with code TRANSACTION_REFUSED that names what differed; then nothing is signed.
   */
  sign(
    action: Action,
    transactions: readonly UnsignedTransaction[],
    firstNonce: bigint,
  ): Promise<readonly SignedTransaction[]>;
}
