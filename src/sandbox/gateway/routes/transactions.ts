import type { FastifyInstance } from "fastify";
import { eth, utils } from "web3";
import { z } from "zod";
import { sameAddress } from "../../../domain/address.ts";
import { hasKey } from "../shared/authorization.ts";
import { readBody } from "../shared/body.ts";
import { checksummed, readCaller } from "../shared/caller.ts";
import type { GatewayContext } from "../shared/context.ts";
import { Failure, ok } from "../shared/envelope.ts";
import { nodeMessageOf, renderNodeError } from "../shared/node-error.ts";

const PostBody = z.object({
  transactions: z.array(z.string().regex(/^[0-9a-fA-F]+$/)).max(10),
});

interface SentTransaction {
  readonly raw: string;
  /** Without `0x`. */
  readonly hash: string;
  readonly sender: string;
  readonly recipient: string | undefined;
  /** Undefined when the signature is good for any chain. */
  readonly chainId: bigint | undefined;
}

interface Entry {
  readonly is_error: boolean;
  readonly message: string;
}

const refused = (message: string): Entry => ({ is_error: true, message });

/**
 * `POST /transactions`: hands signed transactions to the node, in the order given. One entry a transaction; a single
 * one for the whole request when any of them cannot be decoded.
 */
export function transactionRoutes(app: FastifyInstance, gateway: GatewayContext): void {
  app.post("/transactions", async (request) => {
    const { account } = readCaller(request);
    const body = readBody(PostBody, request.body);
    const keyless = gateway.apiKeys !== undefined && !hasKey(gateway.apiKeys, request);
    if (keyless && body.transactions.length !== 1) {
      throw new Failure(403, "Posting multiple transactions requires an API key");
    }

    const entries: Entry[] = [];
    for (const transaction of decodeAll(body.transactions)) {
      const reason = keyless ? onlyWithdrawals(transaction) : objection(gateway, account, transaction);
      entries.push(reason === undefined ? await send(gateway, transaction) : refused(reason));
    }
    if (entries.some((entry) => entry.is_error)) throw new Failure(400, entries);
    return ok(entries);
  });
}

function decodeAll(raws: readonly string[]): SentTransaction[] {
  try {
    return raws.map(decode);
  } catch (error) {
    throw new Failure(400, [
      refused(`Invalid transaction: ${error instanceof Error ? error.message : error}`),
    ]);
  }
}

function decode(raw: string): SentTransaction {
  const transaction = eth.accounts.TransactionFactory.fromSerializedData(utils.hexToBytes(`0x${raw}`));
  if (transaction.type !== 0) throw new RangeError("only legacy transactions are understood");
  return {
    raw,
    hash: utils.bytesToHex(transaction.hash()).slice(2),
    sender: checksummed(transaction.getSenderAddress().toString()),
    recipient: transaction.to?.toString(),
    chainId: transaction.v === undefined || transaction.v < 35n ? undefined : (transaction.v - 35n) / 2n,
  };
}

/** The sandbox has no relay, so there is no withdrawal that a caller without a key could send. */
const onlyWithdrawals = ({ hash }: SentTransaction): string =>
  `Invalid transaction for tx ${hash}: only withdrawals allowed without an API key`;

function objection(
  gateway: GatewayContext,
  account: string,
  transaction: SentTransaction,
): string | undefined {
  const { hash, sender, recipient } = transaction;
  if (!sameAddress(sender, account)) {
    return `Invalid transaction sender for tx ${hash}: expected ${account} got ${sender}`;
  }
  const contracts = Object.values(gateway.chain.contracts);
  if (recipient === undefined || !contracts.some(({ address }) => sameAddress(address, recipient))) {
    return `Invalid transaction recipient for tx ${hash}: ${recipient === undefined ? "" : checksummed(recipient)}`;
  }
  return undefined;
}

async function send({ chain }: GatewayContext, transaction: SentTransaction): Promise<Entry> {
  const { raw, hash, chainId } = transaction;
  // The sandbox's node would take it and never mine it.
  if (chainId !== BigInt(chain.chainId)) return refusedByNode("invalid sender", hash);
  try {
    const message = z.string().parse(await chain.rpc("eth_sendRawTransaction", [`0x${raw}`]));
    return { is_error: false, message };
  } catch (error) {
    return refusedByNode(nodeMessageOf(error), hash);
  }
}

const refusedByNode = (said: string, hash: string): Entry =>
  refused(`Invalid transaction error for tx ${hash}: ${renderNodeError(said, `0x${hash}`)}`);
