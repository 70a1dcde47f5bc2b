import { type AbiFragment, utils } from "web3";

import type { Address } from "../../domain/address.ts";
import { ONE_NCT } from "../../domain/nct.ts";
import { decodeReturn, encodeAbiCall, encodeDeployment } from "./abi.ts";
import type { CompiledContracts, ContractName } from "./contracts.ts";
import type { Rpc } from "./rpc.ts";
import { type Receipt, transactionsOver } from "./transactions.ts";

/** A deployed contract. */
export interface Contract {
  readonly address: Address;
  readonly abi: readonly AbiFragment[];
}

export interface Contracts {
  readonly token: Contract;
  readonly registry: Contract;
  readonly staking: Contract;
}

/** Unlocked at the node; `deployer` owns the contracts and mints. */
export interface Accounts {
  readonly deployer: Address;
  readonly ambassador: Address;
  readonly arbiters: readonly Address[];
  readonly rivals: readonly Address[];
}

interface DeploymentOptions {
  readonly blockTimeMs: number;
  /** Blocks. */
  readonly revealWindow: number;
  /** Blocks. */
  readonly voteWindow: number;
}

/** Blocks that an arbiter's deposit stays locked. */
const STAKE_DURATION = 100n;
/** What ambassador and rivals start with: more than they can spend in a sandbox's life. */
const PLAYER_BALANCE = 1_000_000n * ONE_NCT;

/**
 * Deploys token, staking and registry the way the public deployment tool does, appoints the arbiters and has them stake
 * the minimum. Blocks are mined on demand, so that this takes no longer with slow blocks.
 */
export async function deployMarket(
  rpc: Rpc,
  compiled: CompiledContracts,
  accounts: Accounts,
  { blockTimeMs, revealWindow, voteWindow }: DeploymentOptions,
): Promise<Contracts> {
  const { deployer, ambassador, arbiters, rivals } = accounts;
  const transactions = transactionsOver(rpc, blockTimeMs);

  const mine = async (hashes: readonly Promise<string>[]): Promise<Receipt[]> => {
    const sent = await Promise.all(hashes);
    await rpc.call("evm_mine");
    return Promise.all(sent.map((hash) => transactions.receipt(hash)));
  };
  const deploy = async (name: ContractName, args: readonly unknown[]): Promise<Contract> => {
    const [receipt] = await mine([
      transactions.submit(deployer, encodeDeployment(name, compiled[name], args)),
    ]);
    const address = utils.toChecksumAddress(receipt?.contractAddress ?? "") as Address;
    return { abi: compiled[name].abi, address };
  };
  const send = (from: Address, { abi, address }: Contract, fn: string, args: readonly unknown[] = []) =>
    transactions.submit(from, encodeAbiCall(abi, fn, args), address);
  const read = async ({ abi, address }: Contract, fn: string, args: readonly unknown[] = []) => {
    const transaction = { to: address, data: encodeAbiCall(abi, fn, args) };
    const [answer] = decodeReturn(abi, fn, String(await rpc.call("eth_call", [transaction, "latest"])));
    return answer;
  };

  const token = await deploy("NectarToken", []);
  const staking = await deploy("ArbiterStaking", [token.address, STAKE_DURATION]);
  const registry = await deploy("BountyRegistry", [
    token.address,
    staking.address,
    BigInt(voteWindow),
    BigInt(revealWindow),
  ]);

  const stake = await read(staking, "MINIMUM_STAKE");
  const isManager = await read(registry, "isArbiterManager", [deployer]);
  await mine([
    ...[ambassador, ...rivals].map((account) => send(deployer, token, "mint", [account, PLAYER_BALANCE])),
    ...arbiters.map((account) => send(deployer, token, "mint", [account, stake])),
    send(deployer, token, "enableTransfers"),
    send(deployer, staking, "setBountyRegistry", [registry.address]),
    ...(isManager === true ? [] : [send(deployer, registry, "addArbiterManager", [deployer])]),
  ]);
  const head = BigInt(String(await rpc.call("eth_blockNumber")));
  await mine(arbiters.map((account) => send(deployer, registry, "addArbiter", [account, head])));
  await mine(
    arbiters.flatMap((account) => [
      send(account, token, "approve", [staking.address, stake]),
      send(account, staking, "deposit", [stake]),
    ]),
  );
  return { token, registry, staking };
}
