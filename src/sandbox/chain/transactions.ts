import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

import type { Address } from "../../domain/address.ts";
import { Fault } from "../../domain/fault.ts";
import { RevertFault, revertReason } from "./abi.ts";
import type { Rpc } from "./rpc.ts";

const Quantity = z.string().transform(Number);

export const LogEntry = z.object({
  address: z.string(),
  topics: z.array(z.string()),
  data: z.string(),
  blockNumber: Quantity,
  transactionHash: z.string(),
  logIndex: Quantity,
});
export type LogEntry = z.infer<typeof LogEntry>;

const Receipt = z.object({
  status: Quantity,
  blockNumber: Quantity,
  contractAddress: z.string().nullish(),
  logs: z.array(LogEntry),
});
export type Receipt = z.infer<typeof Receipt>;

const Trace = z.object({ output: z.string().optional(), error: z.string().optional() });

/** What an account may spend on one transaction; as much as the gateway asks for. */
const GAS = "0x2faf080"; // 50,000,000
/** Patience in blocks before a transaction counts as lost. */
const PATIENCE_BLOCKS = 20;

/** Sends from accounts that the node has unlocked. */
interface Transactions {
  /** Resolves with the hash once the node has taken it. `to` is left out to create a contract. */
  submit(from: Address, data: string, to?: Address): Promise<string>;
  /**
   * Resolves with the hashes, in the order given, once the node has taken them all. The node mines none of them before it
   * has the last: they come to stand in as few blocks as can hold them.
   */
  submitAtOnce(from: Address, datas: readonly string[], to: Address): Promise<readonly string[]>;
  /** Throws RevertFault when it reverted, a Fault TRANSACTION_LOST when it is not mined in time. */
  receipt(hash: string): Promise<Receipt>;
}

/**
 * One account's transactions are handed over one after the other, each with the nonce that the node says is next:
 * left to the node, two in flight at once may be given the same nonce and one replaces the other.
 */
export function transactionsOver(rpc: Rpc, blockTimeMs: number): Transactions {
  const lines = new Map<Address, Promise<unknown>>();
  const slowestPollMs = Math.min(100, Math.max(5, blockTimeMs / 8));
  const patienceMs = Math.max(10_000, PATIENCE_BLOCKS * blockTimeMs);

  const nextNonce = async (from: Address): Promise<bigint> =>
    BigInt(z.string().parse(await rpc.call("eth_getTransactionCount", [from, "pending"])));
  const sendNumbered = async (from: Address, nonce: bigint, data: string, to?: Address): Promise<string> => {
    const numbered = { from, nonce: `0x${nonce.toString(16)}`, data, gas: GAS, gasPrice: "0x0" };
    const transaction = { ...numbered, ...(to === undefined ? {} : { to }) };
    return z.string().parse(await rpc.call("eth_sendTransaction", [transaction]));
  };
  const inTurn = <T>(from: Address, act: () => Promise<T>): Promise<T> => {
    const turn = (lines.get(from) ?? Promise.resolve()).then(act);
    lines.set(
      from,
      turn.catch(() => undefined),
    );
    return turn;
  };

  return {
    submit: (from, data, to) => inTurn(from, async () => sendNumbered(from, await nextNonce(from), data, to)),
    submitAtOnce: (from, datas, to) =>
      inTurn(from, async () => {
        const nonce = await nextNonce(from);
        const hashes: string[] = [];
        // Backwards: as long as the first is missing, the others wait for it in the pool.
        for (const [index, data] of [...datas.entries()].reverse()) {
          hashes.unshift(await sendNumbered(from, nonce + BigInt(index), data, to));
        }
        return hashes;
      }),
    async receipt(hash) {
      const until = Date.now() + patienceMs;
      // Doubling: a node that mines at once is not kept waiting, one that mines by the clock is not pestered.
      for (let pollMs = 2; ; pollMs = Math.min(2 * pollMs, slowestPollMs)) {
        const answer = await rpc.call("eth_getTransactionReceipt", [hash]);
        if (answer !== null) {
          const receipt = Receipt.parse(answer);
          if (receipt.status === 1) return receipt;
          throw new RevertFault(`Transaction ${hash}`, await whyReverted(rpc, hash));
        }
        if (Date.now() > until) throw new Fault("TRANSACTION_LOST", `Transaction ${hash} was not mined.`);
        await sleep(pollMs);
      }
    },
  };
}

/** The reason of a mined, reverted transaction, from its trace. */
export async function whyReverted(rpc: Rpc, hash: string): Promise<string> {
  const trace = Trace.parse(await rpc.call("debug_traceTransaction", [hash, { tracer: "callTracer" }]));
  return revertReason(trace.output, trace.error ?? "");
}
