import { utils } from "web3";
import { z } from "zod";

import type { Address } from "../../domain/address.ts";
import type { Nct } from "../../domain/nct.ts";
import type { Logger } from "../../observe/log.ts";
import {
  decodeEvent,
  decodeReturn,
  type EventArgs,
  encodeAbiCall,
  RevertFault,
  revertReason,
} from "./abi.ts";
import { startAnvil } from "./anvil.ts";
import { loadContracts } from "./contracts.ts";
import { type Accounts, type Contract, type Contracts, deployMarket } from "./deploy.ts";
import { openRpc, type Rpc, RpcFault } from "./rpc.ts";
import { LogEntry, transactionsOver, whyReverted } from "./transactions.ts";

/** An event of one of the three contracts, arguments by name, integers as bigint. */
export interface DecodedLog {
  readonly contract: keyof Contracts;
  readonly event: string;
  readonly args: EventArgs;
  readonly blockNumber: number;
  readonly transactionHash: string;
  readonly logIndex: number;
}

export interface Mined {
  readonly hash: string;
  readonly block: number;
  readonly logs: readonly DecodedLog[];
}

/** The sandbox's side chain with the marketplace deployed on it. Disposing of it ends the chain. */
export interface Chain extends AsyncDisposable {
  readonly url: string;
  readonly chainId: number;
  readonly contracts: Contracts;
  readonly accounts: Accounts;
  rpc(method: string, params?: readonly unknown[]): Promise<unknown>;
  /** Number of the newest block. */
  head(): Promise<number>;
  /** The return values in order. Throws RevertFault with the contract's reason. */
  call(
    contract: Contract,
    fn: string,
    args: readonly unknown[],
    options?: { from?: Address },
  ): Promise<readonly unknown[]>;
  /** Sends from an unlocked account and waits until it is mined. Throws RevertFault with the contract's reason. */
  send(from: Address, contract: Contract, fn: string, args: readonly unknown[]): Promise<Mined>;
  /** The same of many calls, all mined in as few blocks as can hold them. Throws when any of them reverted. */
  sendAtOnce(
    from: Address,
    contract: Contract,
    fn: string,
    calls: readonly (readonly unknown[])[],
  ): Promise<readonly Mined[]>;
  /** Events of the three contracts in blocks `fromBlock` to `toBlock`, both included, in order. */
  logs(fromBlock: number, toBlock: number): Promise<readonly DecodedLog[]>;
  encode(contract: Contract, fn: string, args: readonly unknown[]): string;
  /** Why a mined transaction of any sender reverted: see `RevertFault.reason`. */
  revertReason(hash: string): Promise<string>;
  /** Mints. */
  fund(account: Address, amount: Nct): Promise<void>;
}

interface ChainOptions {
  readonly blockTimeMs: number;
  /** Blocks. */
  readonly revealWindow: number;
  /** Blocks. */
  readonly voteWindow: number;
  readonly arbiters: number;
  readonly rivals: number;
  /** Folder with other contracts that meet the same ABI. */
  readonly contractsDir?: string;
  readonly chainId?: number;
  readonly port?: number;
  readonly log: Logger;
}

const CHAIN_ID = 1338;

/** Starts a chain and deploys the marketplace on it. Throws ConfigFault for contracts or an anvil that are not there. */
export async function startChain(options: ChainOptions): Promise<Chain> {
  const { blockTimeMs, arbiters, rivals, chainId = CHAIN_ID, port = 0, log } = options;
  const compiled = await loadContracts(options.contractsDir);
  await using opened = new AsyncDisposableStack();
  const anvil = opened.use(await startAnvil({ chainId, blockTimeMs, port, accounts: 2 + arbiters + rivals }));
  const rpc = opened.use(openRpc(anvil.url));

  const accounts = await readAccounts(rpc, arbiters);
  const contracts = await deployMarket(rpc, compiled, accounts, options);
  const { url, pid } = anvil;
  log.info({ url, process: pid, chainId, registry: contracts.registry.address }, "chain.started");
  const lifetime = opened.move();
  void anvil.ended.then(() => {
    if (!lifetime.disposed) log.error({ url, process: pid }, "chain.died");
  });
  return chainOver(rpc, { chainId, blockTimeMs, contracts, accounts, lifetime });
}

async function readAccounts(rpc: Rpc, arbiters: number): Promise<Accounts> {
  const unlocked = z.array(z.string().transform(checksummed)).parse(await rpc.call("eth_accounts"));
  const [deployer, ambassador, ...players] = unlocked;
  return {
    deployer: deployer!,
    ambassador: ambassador!,
    arbiters: players.slice(0, arbiters),
    rivals: players.slice(arbiters),
  };
}

interface Deployed {
  readonly chainId: number;
  readonly blockTimeMs: number;
  readonly contracts: Contracts;
  readonly accounts: Accounts;
  readonly lifetime: AsyncDisposableStack;
}

function chainOver(rpc: Rpc, deployed: Deployed): Chain {
  const { chainId, contracts, accounts, lifetime } = deployed;
  const transactions = transactionsOver(rpc, deployed.blockTimeMs);
  const decode = logDecoder(contracts);

  const mined = async (hash: string): Promise<Mined> => {
    const receipt = await transactions.receipt(hash);
    return { hash, block: receipt.blockNumber, logs: receipt.logs.flatMap(decode) };
  };
  const send: Chain["send"] = async (from, contract, fn, args) =>
    mined(await transactions.submit(from, encodeAbiCall(contract.abi, fn, args), contract.address));

  return {
    url: rpc.url,
    chainId,
    contracts,
    accounts,
    rpc: (method, params) => rpc.call(method, params),
    head: async () => Number(await rpc.call("eth_blockNumber")),
    async call(contract, fn, args, { from } = {}) {
      const data = encodeAbiCall(contract.abi, fn, args);
      const transaction = { to: contract.address, data, ...(from === undefined ? {} : { from }) };
      return decodeReturn(contract.abi, fn, await callOrRevert(rpc, fn, transaction));
    },
    send,
    async sendAtOnce(from, contract, fn, calls) {
      const datas = calls.map((args) => encodeAbiCall(contract.abi, fn, args));
      return Promise.all((await transactions.submitAtOnce(from, datas, contract.address)).map(mined));
    },
    async logs(fromBlock, toBlock) {
      const address = Object.values(contracts).map((contract) => contract.address);
      const filter = { address, fromBlock: quantity(fromBlock), toBlock: quantity(toBlock) };
      return z
        .array(LogEntry)
        .parse(await rpc.call("eth_getLogs", [filter]))
        .flatMap(decode);
    },
    encode: (contract, fn, args) => encodeAbiCall(contract.abi, fn, args),
    revertReason: (hash) => whyReverted(rpc, hash),
    fund: async (account, amount) => {
      await send(accounts.deployer, contracts.token, "mint", [account, amount]);
    },
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

async function callOrRevert(rpc: Rpc, fn: string, transaction: Record<string, string>): Promise<string> {
  try {
    return z.string().parse(await rpc.call("eth_call", [transaction, "latest"]));
  } catch (error) {
    if (!(error instanceof RpcFault) || !/revert|opcode/i.test(error.message)) throw error;
    throw new RevertFault(fn, revertReason(error.data, error.message));
  }
}

function logDecoder(contracts: Contracts): (entry: LogEntry) => DecodedLog[] {
  const byAddress = new Map(
    (["token", "registry", "staking"] as const).map((name) => [contracts[name].address.toLowerCase(), name]),
  );
  return ({ address, topics, data, blockNumber, transactionHash, logIndex }) => {
    const contract = byAddress.get(address.toLowerCase());
    if (contract === undefined) return [];
    const decoded = decodeEvent(contracts[contract].abi, topics, data);
    return decoded === undefined ? [] : [{ contract, ...decoded, blockNumber, transactionHash, logIndex }];
  };
}

const quantity = (value: number): string => `0x${value.toString(16)}`;
const checksummed = (address: string): Address => utils.toChecksumAddress(address) as Address;
