import { setTimeout as sleep } from "node:timers/promises";
import type { ChainName } from "../../domain/chain.ts";
import type { Intent, SignedTransaction, Signer, UnsignedTransaction } from "../../domain/transaction.ts";
import type { Logger } from "../../observe/log.ts";
import type { Journal, Outcome, Resent, SignedFrom } from "../port.ts";
import { MarketFault } from "./answer.ts";
import type { Gateway } from "./http.ts";
import type { Lane } from "./lane.ts";
import { LaneMutex } from "./lane-mutex.ts";
import { failedBy, lookUpAll } from "./look-up.ts";
import type { Nonces } from "./nonces.ts";
import { postTransaction } from "./post-transaction.ts";
import { askReceipts, type Fate } from "./receipts.ts";
import { RecentKeys } from "./recent-keys.ts";
import { resendInOrder, type Stuck } from "./resend.ts";
import { readAs, type TransactionEvents, UnsignedTransactions } from "./schemas.ts";

/** Something to be done on the chain. */
export interface Action {
  readonly intent: Intent;
  readonly lane: Lane;
  /** Where the gateway builds the transactions, and from what. Building changes nothing and may be repeated. */
  readonly path: string;
  readonly body?: unknown;
  readonly journal: Journal;
  /** Called when the request to build leaves. */
  readonly onRequest?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TransactionOptions {
  readonly gateway: Gateway;
  readonly signer: Signer;
  readonly nonces: Nonces;
  /** How many transactions of our account were mined. */
  readonly minedCount: () => Promise<bigint>;
  readonly chain: ChainName;
  readonly log: Logger;
  readonly random: () => number;
  /** How long to wait for a receipt before the fate is called unknown. */
  readonly patienceMs: number;
  /** Between two questions for a receipt, when the gateway does not itself wait. */
  readonly pollMs: number;
}

type Sent =
  /** `lost`: nobody knows whether the last one arrived. */
  | { readonly kind: "sent"; readonly last: SignedTransaction; readonly lost: boolean }
  | { readonly kind: "refused"; readonly reason: string; readonly retryable: boolean }
  /** The node knew better which nonces are used; nothing that counts was sent. */
  | { readonly kind: "stale-nonce"; readonly reason: string };

const REMEMBERED_HASHES = 10_000;

/** A transaction that was mined a while ago has its receipt at once, one that was mined just now with the next block. */
const RECEIPT_SOON_MS: Readonly<Record<ChainName, number>> = { side: 3_000, home: 30_000 };

const firstNonce = (signed: readonly SignedTransaction[]): bigint => signed[0]?.nonce ?? 0n;
/** Bytes do not say what they are for: it may be a reveal. */
const RESEND_LANE: Lane = "reveal";

/**
 * Takes an action from the request to its receipt:
 *
 *     building ► [ reserving nonces ► signing ► journalling ► posting, one by one in nonce order ] ► awaiting receipt
 *
 * What is in brackets happens to one action at a time, the most urgent first. So the approval and the assertion of a
 * bounty stay adjacent, and a transaction that does not reach the node gives its nonce to the next one: no gaps.
 * The last transaction of an action decides: without it, the others change nothing that matters.
 *
 * - Nothing is posted before the journal has the hashes, and only what was journalled is ever posted again.
 * - A post lost in transit is posted again, byte for byte, until there is a receipt or no patience; that the node knows
 *   it already is success.
 * - "nonce too low" before anything counted was sent: resync, sign anew, once.
 * - Handing over again happens inside the brackets too, with nonces that are fixed (see resend.ts).
 * - A gap below our nonces, which would hold us up for ever, is filled first.
 * - No receipt in time: `unknown`. The nonces are in doubt then, and the next reservation asks the node.
 */
export class Transactions {
  readonly #parts: TransactionOptions;
  readonly #mutex = new LaneMutex();
  /** Hashes that were journalled and then certainly not sent. */
  readonly #neverSent = new RecentKeys(REMEMBERED_HASHES);

  constructor(options: TransactionOptions) {
    this.#parts = options;
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
    const sent = hashes.filter((hash) => !this.#neverSent.has(hash));
    if (sent.length === 0) return { kind: "failed", reason: "It was never sent.", retryable: true };
    const { gateway, chain } = this.#parts;
    return lookUpAll(gateway, sent, { chain, lane, signal });
  }

  /** See `Marketplace.resend`. */
  resend(signed: readonly SignedTransaction[], signal?: AbortSignal): Promise<Resent> {
    const { minedCount } = this.#parts;
    return resendInOrder(signed, {
      // Nobody may choose a nonce in between: it would be the one of the next in this row.
      handOver: (transactions) => this.#mutex.run(RESEND_LANE, () => this.#handOver(transactions)),
      minedCount,
      signal,
      fateOf: (hash) => this.#soonKnown(hash, signal),
    });
  }

  /** See `Marketplace.handOver`. Throws MarketFault. */
  async handOver(signedFrom: SignedFrom, signal?: AbortSignal): Promise<number> {
    const left = signedFrom(await this.#parts.minedCount()).toSorted((a, b) =>
      firstNonce(a) < firstNonce(b) ? -1 : 1,
    );
    for (const signed of left) {
      signal?.throwIfAborted();
      await this.#mutex.run(RESEND_LANE, () => this.#handOver(signed));
    }
    return left.length;
  }

  /** The gateway holds its answer back for as long as it hopes for a receipt; whoever hands over again has no such time. */
  async #soonKnown(hash: string, signal: AbortSignal | undefined): Promise<Fate> {
    const { gateway, chain } = this.#parts;
    const patience = AbortSignal.timeout(RECEIPT_SOON_MS[chain]);
    const either = signal === undefined ? patience : AbortSignal.any([signal, patience]);
    try {
      return (await askReceipts(gateway, [hash], { chain, lane: RESEND_LANE, signal: either })).fateOf(hash);
    } catch (error) {
      if (!patience.aborted || signal?.aborted) throw error;
      return { kind: "pending", reason: "There is no receipt.", looked: true };
    }
  }

  async #handOver(transactions: readonly SignedTransaction[]): Promise<Stuck | undefined> {
    const { gateway, nonces, random } = this.#parts;
    // Whether or not it arrives, the node may now count otherwise than we do.
    nonces.doubt();
    for (const transaction of transactions) {
      const wasSent = !this.#neverSent.has(transaction.hash);
      this.#neverSent.delete(transaction.hash);
      const posted = await postTransaction(gateway, transaction, { lane: RESEND_LANE, random });
      if (posted.kind === "accepted") continue;
      if (posted.kind === "refused" && !wasSent) this.#neverSent.add(transaction.hash);
      return { transaction, posted };
    }
    return undefined;
  }

  async #buildAndSend(action: Action): Promise<Sent> {
    try {
      const unsigned = await this.#build(action);
      return await this.#mutex.run(action.lane, () => this.#send(action, unsigned));
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

  async #send(action: Action, unsigned: readonly UnsignedTransaction[]): Promise<Sent> {
    const { nonces, signer } = this.#parts;
    action.signal?.throwIfAborted();
    const first = await nonces.reserve(unsigned.length);
    let signed: readonly SignedTransaction[];
    try {
      signed = await signer.sign(action.intent, unsigned, first);
      await action.journal(signed);
    } catch (error) {
      nonces.giveBack(first);
      throw error;
    }
    await this.#fill(nonces.gaps(), action, unsigned);
    for (const [index, transaction] of signed.entries()) {
      const sent = await this.#post(action, signed.slice(index), transaction);
      if (sent !== undefined) return sent;
    }
    return { kind: "sent", last: signed.at(-1)!, lost: false };
  }

  /**
   * A gap too small for all of an action's transactions takes the first of them, once more: only an approval has others
   * behind it, and by itself it changes nothing that matters. Whether it arrives is not waited for; it was a gap or not.
   */
  async #fill(
    gaps: readonly bigint[],
    action: Action,
    unsigned: readonly UnsignedTransaction[],
  ): Promise<void> {
    const { gateway, signer, random, log } = this.#parts;
    for (const nonce of gaps) {
      const [filler] = await signer.sign(action.intent, unsigned, nonce);
      if (filler === undefined) return;
      const posted = await postTransaction(gateway, filler, { lane: action.lane, random });
      log.info({ guid: action.intent.guid, nonce, posted: posted.kind }, "market.nonce-gap-filled");
      // Everybody waits: one transaction that is swallowed is enough.
      if (posted.kind === "lost") return;
    }
  }

  /** Undefined when the node took it. `rest` begins with the transaction. */
  async #post(
    action: Action,
    rest: readonly SignedTransaction[],
    transaction: SignedTransaction,
  ): Promise<Sent | undefined> {
    const { gateway, nonces, random } = this.#parts;
    // The same action with the same nonce, given back in between, has the same hash again.
    this.#neverSent.delete(transaction.hash);
    const posted = await postTransaction(gateway, transaction, { lane: action.lane, random });
    if (posted.kind === "accepted") return undefined;
    const unsent = posted.kind === "lost" ? rest.slice(1) : rest;
    for (const { hash } of unsent) this.#neverSent.add(hash);
    if (posted.kind === "refused") {
      nonces.giveBack(transaction.nonce);
      if (!posted.staleNonce) return posted;
      nonces.doubt();
      return { kind: "stale-nonce", reason: posted.reason };
    }
    nonces.doubt();
    if (unsent.length === 0) return { kind: "sent", last: transaction, lost: true };
    return { kind: "refused", reason: posted.reason, retryable: true };
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
