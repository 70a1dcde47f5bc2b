import type { ChainName } from "../../../domain/chain.ts";
import type { SignedTransaction, UnsignedTransaction } from "../../../wallet/transaction.ts";
import { MarketFault } from "../http/answer.ts";
import type { Ask } from "../http/ask.ts";
import type { Lane } from "../http/lane.ts";
import type { Outcome, Resent, SignedFrom } from "../port/marketplace.ts";
import { readAs, type TransactionEvents, UnsignedTransactions } from "../reads/schemas.ts";
import type { ActionRequest } from "./action-request.ts";
import { failedBy, lookUpAll } from "./look-up.ts";
import type { Posted } from "./post-transactions.ts";
import { askReceipts, type Fate } from "./receipts.ts";
import { failedOutcome } from "./refusal.ts";
import { resendInOrder } from "./resend.ts";
import { RESEND_LANE, Sender, type SenderParts, type Sent } from "./sender.ts";

interface TransactionOptions extends SenderParts {
  /** How many transactions of our account were mined. */
  readonly minedCount: () => Promise<bigint>;
  readonly chain: ChainName;
  /** How long to wait for a receipt before the fate is called unknown. */
  readonly patienceMs: number;
  /** Between two questions for a receipt, when the gateway does not itself wait. */
  readonly pollMs: number;
  /** How long a block takes, as far as that was seen. */
  readonly blockMs: () => number | undefined;
}

interface ResendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default: the reveals', because bytes do not say what they are for. */
  readonly lane?: Lane | undefined;
}

/** A transaction that was mined a while ago has its receipt at once, one that was mined just now with the next block. */
const RECEIPT_SOON_MS: Readonly<Record<ChainName, number>> = { side: 3_000, home: 30_000 };

/** A receipt comes with a block on top of the transaction's own. */
const RECEIPT_BLOCKS = 2;
/** For the way there and back. */
const SLACK_MS = 1_000;
/** Blocks within which a transaction is mined and has its receipt, on a chain that is slow but not in trouble. */
const PATIENCE_BLOCKS = 4;

/**
 * A transaction that may be lost is posted again after this, if it has no receipt by then; after twice as long the next
 * time. An answer to a post that comes later than it was waited for counts all the same.
 */
const LOST_MS = 1_000;
const LONGEST_LOST_MS = 16_000;

/** A request that was swallowed must not cost a reveal its window: it is asked for once more after this, beside the first. */
const SWALLOWED_MS = 3_000;

/**
 * Takes an action from the request to its receipt:
 *
 *     building ► [ reserving nonces ► signing ► journalling ► posting ] ► awaiting receipt
 *
 * What is in brackets happens in turn; see sender.ts. Building and waiting happen side by side.
 *
 * - A post lost in transit is posted again, byte for byte, until there is a receipt or no patience; that the node knows
 *   it already is success. Until the node has it, receipts are asked for briefly: a gateway waits for that of a
 *   transaction that never arrived as long as for any other.
 * - "nonce too low" before anything counted was sent: signed anew, once.
 * - No receipt in time, or a stop and a gateway that is gone: `unknown`. The nonces are in doubt then, and the next
 *   reservation asks the node.
 */
export class Transactions {
  readonly #parts: TransactionOptions;
  readonly #sender: Sender;

  constructor(options: TransactionOptions) {
    this.#parts = options;
    this.#sender = new Sender(options);
  }

  /** Throws Fault TRANSACTION_REFUSED, what the journal threw, or the signal's reason; then nothing was sent. */
  async perform(request: ActionRequest): Promise<Outcome<TransactionEvents>> {
    for (let again = false; ; again = true) {
      const sent = await this.#buildAndSend(request);
      if (sent.kind === "sent") return this.#await(sent, request);
      if (sent.kind === "refused") return failedOutcome(sent);
      if (again) return failedOutcome({ reason: sent.reason, retryable: true });
      this.#parts.log.warn({ guid: request.action.guid, reason: sent.reason }, "market.nonce-stale");
    }
  }

  /** See `Marketplace.lookUp`. */
  async lookUp(
    hashes: readonly string[],
    lane: Lane,
    signal?: AbortSignal,
  ): Promise<Outcome<TransactionEvents[]>> {
    const sent = hashes.filter((hash) => !this.#sender.neverSent(hash));
    if (sent.length === 0) return failedOutcome({ reason: "It was never sent.", retryable: true });
    const { gateway, chain } = this.#parts;
    return lookUpAll(gateway, sent, { chain, lane, signal });
  }

  /** See `Marketplace.resend`. */
  resend(signed: readonly SignedTransaction[], options: ResendOptions = {}): Promise<Resent> {
    const { minedCount } = this.#parts;
    const { signal, lane = RESEND_LANE } = options;
    return resendInOrder(signed, {
      postInOrder: (transactions) => this.#sender.postInOrder(transactions, lane),
      minedCount,
      signal,
      fateOf: (hash) => this.#soonKnown(hash, lane, signal),
    });
  }

  /** See `Marketplace.resendAll`. Throws MarketFault. */
  async resendAll(signedFrom: SignedFrom, signal?: AbortSignal): Promise<number> {
    const left = signedFrom(await this.#parts.minedCount());
    await this.#sender.postAll(left, signal);
    return left.length;
  }

  /**
   * The gateway holds its answer back for as long as it hopes for a receipt, and a reveal has no such time. On slow blocks
   * the receipt of what was mined just now takes longer than the gateway waits: then it is asked for again.
   */
  async #soonKnown(hash: string, lane: Lane, signal: AbortSignal | undefined): Promise<Fate> {
    const { gateway, chain, timers, blockMs } = this.#parts;
    const receiptMs = RECEIPT_BLOCKS * (blockMs() ?? 0) + SLACK_MS;
    const patience =
      lane === "reveal" ? timers.timeout(Math.max(RECEIPT_SOON_MS[chain], receiptMs)) : undefined;
    const ask = { chain, lane, signal: patience === undefined ? signal : anyOf(patience, signal) };
    const sureAt = timers.now() + receiptMs;
    try {
      for (;;) {
        const fate = (await askReceipts(gateway, [hash], ask)).fateOf(hash);
        if (fate.kind !== "pending" || !fate.looked || timers.now() >= sureAt) return fate;
        await timers.sleep(this.#parts.pollMs, ask.signal);
      }
    } catch (error) {
      if (patience?.aborted !== true || signal?.aborted) throw error;
      return { kind: "pending", reason: NO_RECEIPT, looked: true };
    }
  }

  async #buildAndSend(request: ActionRequest): Promise<Sent> {
    try {
      return await this.#sender.send(request, await this.#build(request));
    } catch (error) {
      // Posting catches its own; this came from building or from asking for nonces.
      if (!(error instanceof MarketFault)) throw error;
      return { kind: "refused", reason: error.message, retryable: error.retryable };
    }
  }

  async #build(request: ActionRequest): Promise<readonly UnsignedTransaction[]> {
    const what = `building the ${request.action.kind} transactions`;
    const ask: Ask = {
      what,
      method: "POST",
      path: request.path,
      // We choose the nonces ourselves, as late as possible.
      query: { base_nonce: "0" },
      body: request.body ?? {},
      lane: request.lane,
      repeatable: true,
      signal: request.signal,
    };
    const hasty = request.lane === "reveal" ? { ...ask, hedgeMs: SWALLOWED_MS } : ask;
    const asked = this.#parts.gateway.ask(hasty);
    request.onRequest?.();
    return readAs(UnsignedTransactions, what, await asked).transactions;
  }

  async #await(
    { last, ...sent }: Extract<Sent, { kind: "sent" }>,
    { lane, signal }: ActionRequest,
  ): Promise<Outcome<TransactionEvents>> {
    const { hash } = last;
    const { gateway, chain, nonces, pollMs, random, timers, blockMs } = this.#parts;
    const giveUpAt = timers.now() + Math.max(this.#parts.patienceMs, PATIENCE_BLOCKS * (blockMs() ?? 0));
    let { lost } = sent;
    let lostMs = LOST_MS;
    let late = false;
    const onLate = (posted: Posted) => {
      late ||= posted.kind === "accepted";
    };
    for (;;) {
      let reason: string;
      const soon = lost ? timers.timeout(lostMs) : undefined;
      try {
        const { events, fateOf } = await askReceipts(gateway, [hash], {
          chain,
          lane,
          signal: soon === undefined ? signal : anyOf(soon, signal),
        });
        const fate = fateOf(hash);
        if (fate.kind === "mined") return { kind: "done", value: events };
        if (fate.kind === "reverted") return failedBy(fate.reason);
        reason = fate.reason;
      } catch (error) {
        if (signal?.aborted) return { kind: "unknown", reason: "We stopped before the receipt came." };
        if (error instanceof MarketFault) {
          reason = error.message;
          if (!error.retryable) return { kind: "unknown", reason };
        } else if (soon?.aborted) reason = NO_RECEIPT;
        else throw error;
      }
      if (timers.now() >= giveUpAt || gateway.gone?.()) {
        nonces.doubt();
        return { kind: "unknown", reason };
      }
      if (lost) {
        lostMs = Math.min(lostMs * 2, LONGEST_LOST_MS);
        const posting = late ? undefined : this.#sender.postLost(last, lane, { signal, onLate });
        posting?.catch(() => undefined);
        const posted = await Promise.race([posting, abortOf(signal)]);
        lost = !late && posted?.kind !== "accepted";
      }
      // An abort ends the next question.
      await timers.sleep(pollMs * (0.5 + random()), signal).catch(() => undefined);
    }
  }
}

/** Never resolves without a signal. */
const abortOf = (signal: AbortSignal | undefined): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal?.aborted) resolve(undefined);
    signal?.addEventListener("abort", () => resolve(undefined), { once: true });
  });

const NO_RECEIPT = "There is no receipt.";

const anyOf = (patience: AbortSignal, signal: AbortSignal | undefined): AbortSignal =>
  signal === undefined ? patience : AbortSignal.any([signal, patience]);
