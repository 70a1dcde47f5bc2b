import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { DecodedLog } from "../../chain/chain.ts";
import { dawdle } from "../shared/as-real.ts";
import { readBody } from "../shared/body.ts";
import { readCaller } from "../shared/caller.ts";
import type { GatewayContext } from "../shared/context.ts";
import { Failure, ok } from "../shared/envelope.ts";
import { RECEIPTED, shapeEvent } from "../shared/event-shape.ts";
import { Quantity } from "../shared/quantity.ts";
import { GAS_CAP } from "../shared/unsigned.ts";

const GetBody = z.object({
  transactions: z.array(z.string().regex(/^(0x)?[0-9a-fA-F]{64}$/)).max(10),
});

const Receipt = z.object({ blockNumber: Quantity.transform(Number), status: Quantity, gasUsed: Quantity });
type Receipt = z.infer<typeof Receipt>;

type Told = Record<string, unknown>;

/**
 * `GET /transactions`, with the hashes in its body: waits until each is mined and one further block exists, one after
 * another, and tells their events. Any failure makes the whole answer a 400, with the others' events still in it.
 */
export function receiptRoutes(app: FastifyInstance, gateway: GatewayContext): void {
  app.get("/transactions", async (request) => {
    readCaller(request);
    const { transactions } = readBody(GetBody, request.body);
    const events: Record<string, Told[]> = {};
    const errors: string[] = [];
    for (const given of transactions) {
      const hash = given.replace(/^0x/, "").toLowerCase();
      const receipt = await waitForReceipt(gateway, `0x${hash}`);
      if (typeof receipt === "string") {
        errors.push(`transaction ${hash}: ${receipt}`);
        continue;
      }
      if (receipt.status === 0n) {
        errors.push(`transaction ${hash}: ${await describeFailure(gateway, `0x${hash}`, receipt)}`);
        continue;
      }
      const logs = await gateway.chain.logs(receipt.blockNumber, receipt.blockNumber);
      for (const [key, told] of tellEvents(logs.filter((log) => log.transactionHash === `0x${hash}`))) {
        events[key] = [...(events[key] ?? []), told];
      }
    }
    await dawdleOver(gateway, transactions.length);
    const answer = { ...events, errors };
    if (errors.length > 0) throw new Failure(400, answer);
    return ok(answer);
  });
}

/** A loaded gateway's answer takes seconds, though the transaction was mined. */
async function dawdleOver({ asReal, closing }: GatewayContext, hashes: number): Promise<void> {
  if (asReal === undefined || hashes === 0) return;
  const [least, most] = asReal.receiptMs;
  await dawdle(least + Math.random() * (most - least), closing);
}

/** The first event of each type in one transaction's logs. */
export function tellEvents(logs: readonly DecodedLog[]): readonly (readonly [string, Told])[] {
  return Object.entries(RECEIPTED).flatMap(([name, key]) => {
    const log = logs.find(({ event }) => event === name);
    return log === undefined ? [] : [[key, shapeEvent(name as keyof typeof RECEIPTED, log.args)] as const];
  });
}

/** The receipt, or what the gateway says when there is none. */
async function waitForReceipt(gateway: GatewayContext, hash: string): Promise<Receipt | string> {
  const { chain, receiptPollMs, receiptTimeoutMs, closing } = gateway;
  const deadline = performance.now() + receiptTimeoutMs;
  try {
    while (true) {
      const answer = await chain.rpc("eth_getTransactionReceipt", [hash]);
      const receipt = answer === null ? undefined : Receipt.parse(answer);
      if (receipt !== undefined && (await chain.head()) > receipt.blockNumber) return receipt;
      if (performance.now() >= deadline) return "timeout during wait for receipt";
      await sleep(receiptPollMs, undefined, { signal: closing });
    }
  } catch (error) {
    gateway.log.debug({ err: error, hash }, "gateway.receipt.failed");
    return "unexpected error while fetching transaction receipt";
  }
}

async function describeFailure(gateway: GatewayContext, hash: string, receipt: Receipt): Promise<string> {
  if (receipt.gasUsed === GAS_CAP) return "out of gas";
  const failed = `transaction failed at block ${receipt.blockNumber}`;
  try {
    const reason = await gateway.chain.revertReason(hash);
    return `${failed}, error: ${isText(reason) ? reason : "Invalid revert encoding"}`;
  } catch (error) {
    gateway.log.debug({ err: error, hash }, "gateway.trace.failed");
    return `${failed}, check parameters`;
  }
}

/** Whether the contract said something itself: neither silence nor a broken assertion can be told by the gateway. */
const isText = (reason: string): boolean => reason !== "" && !/^(invalid opcode|panic \d+)$/.test(reason);
