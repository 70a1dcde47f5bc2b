import { z } from "zod";
import type { Chain } from "../../chain/chain.ts";
import type { Contract } from "../../chain/deploy.ts";
import { type Caller, checksummed } from "./caller.ts";
import type { GatewayContext } from "./context.ts";
import { Quantity } from "./quantity.ts";

/** The most gas the gateway puts into a transaction. */
export const GAS_CAP = 50_000_000n;

interface ContractCall {
  readonly contract: Contract;
  readonly fn: string;
  readonly args: readonly unknown[];
}

/** Builds the unsigned transactions of one action, with consecutive nonces, for a chain that is free of gas. */
export async function buildTransactions(
  { chain }: GatewayContext,
  caller: Caller,
  calls: readonly ContractCall[],
): Promise<object[]> {
  const first = caller.baseNonce ?? (await transactionCount(chain, caller.account, "latest"));
  const head = z
    .object({ gasLimit: Quantity })
    .parse(await chain.rpc("eth_getBlockByNumber", ["latest", false]));
  return calls.map(({ contract, fn, args }, index) => ({
    nonce: first + index,
    chainId: chain.chainId,
    gas: head.gasLimit < GAS_CAP ? head.gasLimit : GAS_CAP,
    gasPrice: 0,
    to: checksummed(contract.address),
    value: 0,
    data: chain.encode(contract, fn, args),
  }));
}

/** The account's transaction count, as of the newest block or with what waits in the pool. */
export async function transactionCount(
  chain: Chain,
  account: string,
  tag: "latest" | "pending",
): Promise<number> {
  return Number(Quantity.parse(await chain.rpc("eth_getTransactionCount", [account, tag])));
}
