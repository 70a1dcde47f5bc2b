import { createHash } from "node:crypto";
import { type Guid, uintToGuid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { nct } from "../../src/domain/nct.ts";
import { joinPolyswarmd } from "../../src/market/onchain/gateway/client.ts";
import type { Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import { createLogger, type Logger } from "../../src/observe/log.ts";
import { openSigner } from "../../src/wallet/signer.ts";
import { type Asked, type Deed, OddGateway, PARAMETERS, refusal, transactionOf } from "./odd-gateway.ts";

export const wallet = openSigner(createHash("sha256").update("protocol-ref-key-expert").digest());
export const guid = uintToGuid(7n);
export const noJournal = () => undefined;

/** A market client that has no time, at a gateway that a test can make do anything. */
export interface OddMarket extends AsyncDisposable {
  readonly gateway: OddGateway;
  readonly market: Marketplace;
}

export async function openOddMarket(
  options: {
    readonly log?: Logger;
    readonly arrange?: (gateway: OddGateway) => void;
    readonly receiptPatienceMs?: number;
  } = {},
): Promise<OddMarket> {
  const gateway = await OddGateway.open();
  options.arrange?.(gateway);
  const market = joinPolyswarmd({
    addr: gateway.url,
    chain: "side" as const,
    signer: wallet,
    clock: systemClock,
    log: options.log ?? createLogger({ level: "silent", format: "json", name: "test" }),
    random: () => 0.5,
    receiptPatienceMs: options.receiptPatienceMs ?? 1_500,
    timings: { http: { backoffMs: 5, pauseMs: 20 }, receiptPollMs: 10 },
  });
  // It is tried out whether the bodies of GET requests arrive, and nobody waits for that.
  const triedOut = gateway.arrival("GET /transactions");
  await market.start(AbortSignal.timeout(240_000));
  await triedOut;
  gateway.asked.splice(0);
  return {
    gateway,
    market,
    async [Symbol.asyncDispose]() {
      await market[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

export const requestFor = (id: Guid, bid = 62500000000000001n) => ({
  guid: id,
  bids: [nct(bid)],
  mask: 1n,
  artifactCount: 2,
  commitment: 1234n,
  fee: nct(PARAMETERS.assertion_fee),
});

export const bodyOf = (asked: Asked) => (asked.body as { transactions: string[] }).transactions[0] ?? "";

/** Transactions as `nonce selector`. */
export const readable = (raws: readonly string[]) =>
  raws.map((raw) => {
    const { nonce, data } = transactionOf(raw);
    return `${nonce} ${Buffer.from(data.subarray(0, 4)).toString("hex")}`;
  });
export const APPROVE = "095ea7b3";
export const ASSERT = "ea11731e";
export const SETTLE = "5592d687";

export const nodeSays = (message: string): Deed =>
  refusal(400, {
    status: "FAIL",
    errors: [
      {
        is_error: true,
        message: `Invalid transaction error for tx 0xab: {'code': -32000, 'message': '${message}'}`,
      },
    ],
  });

/** What became of the transaction that is asked for: `H` stands for its hash. */
export const fateOf =
  (text: string) =>
  (asked: Asked): Deed =>
    refusal(400, {
      status: "FAIL",
      errors: { errors: [text.replace("H", bodyOf(asked).replace(/^0x/, ""))] },
    });
