import { utils } from "web3";
import type { Address } from "../../domain/address.ts";

const keccak = (value: bigint): bigint =>
  BigInt(utils.keccak256(`0x${value.toString(16).padStart(64, "0")}`));

/** Binds an account to verdicts without showing them. The nonce is 1 to 2^256 - 1. */
export const commit = (account: Address, verdicts: bigint, nonce: bigint): bigint =>
  keccak(verdicts ^ keccak(nonce) ^ BigInt(account));
