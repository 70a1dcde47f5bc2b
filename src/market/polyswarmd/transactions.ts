import { setTimeout as sleep } from "node:timers/promises";
import type { ChainName } from "../../domain/chain.ts";
import type { SignedTransaction, UnsignedTransaction } from "../../domain/transaction.ts";
import type { Outcome, Resent, SignedFrom } from "../port.ts";
import { MarketFault } from "./answer.ts";
import type { Lane } from "./lane.ts";
import { failedBy, lookUpAll } from "./look-up.ts";
import { postTransaction } from "./post-transactions.ts";
import { askReceipts, type Fate } from "./receipts.ts";
import { resendInOrder } from "./resend.ts";
import { readAs, type TransactionEvents, UnsignedTransactions } from "./schemas.ts";
import { type Deed, HAND_OVER_LANE, Sender, type SenderParts, type Sent } from "./sender.ts";

/** Something to be done on the chain. */
export interface Action extends Deed {
  /** Where the gateway builds the transactions, and from what. Building changes nothing and may be repeated. */
  readonly path: string;
  readonly body?: unknown;
  /** Called when the request to build leaves. */
  readonly onRequest?: (() => void) | undefined;
}

export interface TransactionOptions extends SenderParts {
  /** How many transactions of our account were mined. */
  readonly minedCount: () => Promise<bigint>;
  readonly chain: ChainName;
  /** How long to wait for a receipt before the fate is called unknown. */
  readonly patienceMs: number;
  /** Between two questions for a receipt, when the gateway does not itself wait. */
  readonly pollMs: number;
}

/** A transaction that was mined a while ago has its receipt at once, one that was mined just now with the next block. */
const RECEIPT_SOON_MS: Readonly<Record<ChainName, number>> = { side: 3_000, home: 30_000 };

/**
 * Takes an action from the request to its receipt:
 *
 *     building ► [ reserving nonces ► signing ► journalling ► posting ] ► awaiting receipt
 *
 * What is in brackets happens in turn; see sender.ts. Building and waiting happen side by side.
 *
 * - A post lost in transit is posted again, byte for byte, until there is a receipt or no patience; that the node knows
 *   it already is success.
 * - "nonce too low" before anything counted was sent: signed anew, once.
 * - No receipt in time: `unknown`. The nonces are in doubt then, and the next reservation asks the node.
 */
export class Transactions {
  readonly #parts: TransactionOptions;
  readonly #sender: Sender;

  constructor(options: TransactionOptions) {
    this.#parts = options;
    this.#sender = new Sender(options);
  }

  /** Throws Fault TRANSACTION_REFUSED, what the journal threw, or the signal's reason; then nothing was sent. */
  async perform(action: Action): Promise<Outcome<TransactionEvents>> {
    for (let again = false; ; again = true) {
      const sent = await this.#buildAndSend(action);
      if (sent.kind === "sent") return this.#await(sent, action);
      if (sent.kind === "refused") return { ...sent, kind: "failed" };
      if (again) return { kind: "failed", reason: sent.reason, retryable: true };
      this.#parts.log.warn({ guid: action.intent.guid, reason: sent.reason }, "market.nonce-stale");
    }
  }

  /** See `Marketplace.lookUp`. */
  async lookUp(
    hashes: readonly string[],
    lane: Lane,
    signal?: AbortSignal,
  ): Promise<Outcome<TransactionEvents[]>> {
    const sent = hashes.filter((hash) => !this.#sender.neverSent(hash));
    if (sent.length === 0) return { kind: "failed", reason: "It was never sent.", retryable: true };
    const { gateway, chain } = this.#parts;
    return lookUpAll(gateway, sent, { chain, lane, signal });
  }

  /** See `Marketplace.resend`. */
  resend(signed: readonly SignedTransaction[], signal?: AbortSignal): Promise<Resent> {
    const { minedCount } = this.#parts;
    return resendInOrder(signed, {
      handOver: (transactions) => this.#sender.handOver(transactions),
      minedCount,
      signal,
      fateOf: (hash) => this.#soonKnown(hash, signal),
    });
  }

  /** See `Marketplace.handOver`. Throws MarketFault. */
  async handOver(signedFrom: SignedFrom, signal?: AbortSignal): Promise<number> {
    const left = signedFrom(await this.#parts.minedCount());
    await this.#sender.handOverAll(left, signal);
    return left.length;
  }

  /** The gateway holds its answer back for as long as it hopes for a receipt; whoever hands over again has no such time. */
  async #soonKnown(hash: string, signal: AbortSignal | undefined): Promise<Fate> {
    const { gateway, chain } = this.#parts;
    const patience = AbortSignal.timeout(RECEIPT_SOON_MS[chain]);
    const either = signal === undefined ? patience : AbortSignal.any([signal, patience]);
    try {
      return (await askReceipts(gateway, [hash], { chain, lane: HAND_OVER_LANE, signal: either })).fateOf(
        hash,
      );
    } catch (error) {
      if (!patience.aborted || signal?.aborted) throw error;
      return { kind: "pending", reason: "There is no receipt.", looked: true };
    }
  }

  async #buildAndSend(action: Action): Promise<Sent> {
    try {
      return await this.#sender.send(action, await this.#build(action));
    } catch (error) {
      // Posting catches its own; this came from building or from asking for nonces.
      if (!(error instanceof MarketFault)) throw error;
      return { kind: "refused", reason: error.message, retryable: error.retryable };
    }
  }

  async #build(action: Action): Promise<readonly UnsignedTransaction[]> {
    const what = `building the ${action.intent.action} transactions`;
    const asked = this.#parts.gateway.ask({
      what,
      method: "POST",
      path: action.path,
      // We choose the nonces ourselves, as late as possible.
      query: { base_nonce: "0" },
      body: action.body ?? {},
      lane: action.lane,
      repeatable: true,
      signal: action.signal,
    });
    action.onRequest?.();
    return readAs(UnsignedTransactions, what, await asked).transactions;
  }

  async #await(
    { last, lost }: Extract<Sent, { kind: "sent" }>,
    { lane, signal }: Action,
  ): Promise<Outcome<TransactionEvents>> {
    const { hash } = last;
    const { gateway, chain, nonces, patienceMs, pollMs, random } = this.#parts;
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      let reason: string;
      try {
        const { events, fateOf } = await askReceipts(gateway, [hash], { chain, lane, signal });
        const fate = fateOf(hash);
        if (fate.kind === "mined") return { kind: "done", value: events };
        if (fate.kind === "reverted") return failedBy(fate.reason);
        reason = fate.reason;
      } catch (error) {
        if (signal?.aborted) return { kind: "unknown", reason: "We stopped before the receipt came." };
        if (!(error instanceof MarketFault)) throw error;
        reason = error.message;
        if (!error.retryable) return { kind: "unknown", reason };
      }
      if (performance.now() >= giveUpAt) {
        nonces.doubt();
        return { kind: "unknown", reason };
      }
      if (lost) await postTransaction(gateway, last, { lane, random });
      // An abort ends the next question.
      await sleep(pollMs * (0.5 + random()), undefined, { signal }).catch(() => undefined);
    }
  }
}
