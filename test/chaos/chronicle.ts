import { type AbiFunctionFragment, eth } from "web3";
import { z } from "zod";
import { sameAddress } from "../../src/domain/address.ts";
import { uintToGuid } from "../../src/domain/guid.ts";
import type { Chain } from "../../src/sandbox/chain/chain.ts";
import type { Action, MinedTransaction, PostedBounty } from "./referee.ts";

const Quantity = z.string().transform(Number);
const Block = z.object({
  transactions: z.array(z.object({ hash: z.string(), from: z.string(), input: z.string() })),
});
const Receipt = z.object({ status: Quantity });
const NewBounty = z.object({ guid: z.bigint().transform(uintToGuid), expirationBlock: z.bigint() });

const FUNCTIONS: Readonly<Record<Action, string>> = {
  assert: "postAssertion",
  reveal: "revealAssertion",
  settle: "settleBounty",
};

/** Writes down what one account did on the chain, block by block, and which bounties there were. */
export class Chronicle {
  readonly bounties: PostedBounty[] = [];
  readonly transactions: MinedTransaction[] = [];
  readonly #chain: Chain;
  readonly #account: string;
  readonly #actions: ReadonlyMap<string, Action>;
  #read: number;

  /** Begins with the block after `from`. */
  constructor(chain: Chain, account: string, from: number) {
    this.#chain = chain;
    this.#account = account;
    this.#read = from;
    this.#actions = selectors(chain);
  }

  /** Blocks must be asked for in order; those already read cost nothing. */
  async readTo(head: number): Promise<void> {
    for (const log of await this.#chain.logs(this.#read + 1, head)) {
      if (log.event !== "NewBounty") continue;
      const { guid, expirationBlock } = NewBounty.parse(log.args);
      this.bounties.push({ guid, block: log.blockNumber, expiration: Number(expirationBlock) });
    }
    for (let block = this.#read + 1; block <= head; block++) await this.#readBlock(block);
    this.#read = head;
  }

  async #readBlock(block: number): Promise<void> {
    const number = `0x${block.toString(16)}`;
    const { transactions } = Block.parse(await this.#chain.rpc("eth_getBlockByNumber", [number, true]));
    for (const { hash, from, input } of transactions) {
      if (!sameAddress(from, this.#account)) continue;
      const action = this.#actions.get(input.slice(0, 10));
      // The bounty is the first argument of them all.
      const guid = action && uintToGuid(BigInt(`0x${input.slice(10, 74)}`));
      this.transactions.push({ hash, block, action, guid, reverted: await this.#revertOf(hash) });
    }
  }

  async #revertOf(hash: string): Promise<string | undefined> {
    const { status } = Receipt.parse(await this.#chain.rpc("eth_getTransactionReceipt", [hash]));
    if (status === 1) return undefined;
    const reason = await this.#chain.revertReason(hash);
    return reason === "" ? "no reason given" : reason;
  }
}

function selectors({ contracts }: Chain): ReadonlyMap<string, Action> {
  const functions = contracts.registry.abi.filter(
    (item) => item.type === "function",
  ) as AbiFunctionFragment[];
  return new Map(
    (Object.keys(FUNCTIONS) as Action[]).map((action) => {
      const fragment = functions.find(({ name }) => name === FUNCTIONS[action]);
      if (fragment === undefined) throw new Error(`the registry has no ${FUNCTIONS[action]}`);
      return [eth.abi.encodeFunctionSignature(fragment), action];
    }),
  );
}
