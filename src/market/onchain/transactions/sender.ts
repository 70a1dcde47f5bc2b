import { RecentKeys } from "../../../async/recent-keys.ts";
import { Semaphore } from "../../../async/semaphore.ts";
import type { Timers } from "../../../async/timers.ts";
import type { Logger } from "../../../observe/log.ts";
import type { SignedTransaction, Signer, UnsignedTransaction } from "../../../wallet/transaction.ts";
import { MarketFault } from "../http/answer.ts";
import type { Asker } from "../http/ask.ts";
import { LANES, type Lane } from "../http/lane.ts";
import type { ActionRequest } from "./action-request.ts";
import type { Nonces } from "./nonces.ts";
import {
  MAX_TRANSACTIONS,
  type Posted,
  type PostOptions,
  postTransaction,
  postTransactions,
} from "./post-transactions.ts";
import type { Stuck } from "./resend.ts";

export interface SenderParts {
  readonly gateway: Asker;
  readonly signer: Signer;
  readonly nonces: Nonces;
  readonly log: Logger;
  readonly random: () => number;
  readonly timers: Timers;
}

export type Sent =
  /** `lost`: it is not known whether the last one arrived. */
  | { readonly kind: "sent"; readonly last: SignedTransaction; readonly lost: boolean }
  | { readonly kind: "refused"; readonly reason: string; readonly retryable: boolean }
  /** The node knew better which nonces are used; nothing that counts was sent. */
  | { readonly kind: "stale-nonce"; readonly reason: string };

/** An action of one transaction that waits to be signed. */
interface Waiting {
  readonly request: ActionRequest;
  readonly unsigned: readonly UnsignedTransaction[];
  readonly sent: PromiseWithResolvers<Sent>;
}

type Signed = Pick<Waiting, "sent"> & { readonly transaction: SignedTransaction };

/** What may be lost and is to be posted once more. */
interface Again {
  readonly transaction: SignedTransaction;
  /** Nothing waits for it any more. */
  readonly signal: AbortSignal | undefined;
  readonly onLate: (posted: Posted) => void;
  readonly posted: PromiseWithResolvers<Posted>;
}

const REMEMBERED_HASHES = 10_000;
/** New transactions wait while what may be lost is posted again: for less long than for each other. */
const AGAIN_MS = 2_500;

/** Bytes do not say what they are for: it may be a reveal. */
export const RESEND_LANE: Lane = "reveal";

/**
 * Signs and posts, with account nonces in unbroken order:
 *
 *     waiting for the turn ► reserving nonces ► signing ► journalling ► filling gaps ► posting ► next turn
 *
 * One action at a time has the turn, the most urgent first. So the approval and the assertion of a bounty stay adjacent,
 * and a transaction that does not reach the node gives its nonce to the next one: no gaps. The last transaction of an action
 * decides: without it, the others change nothing that matters.
 *
 * Actions of a single transaction (reveals, settlements) that wait in one lane share a turn and a request: hundreds of
 * reveals may be due in the same few blocks. Should the node refuse one of them and take those behind it, the next
 * signature fills the gap, as a rule that of the refused one at the next block.
 *
 * - Nothing is posted before the journal has it, and only what was journalled is ever posted again.
 * - Sending again takes a turn, too, with nonces that are fixed (see resend.ts); so does what may be lost, ten at a time.
 * - A gap below our nonces, which would hold us up for ever, is filled first.
 */
export class Sender {
  readonly #parts: SenderParts;
  readonly #turns = new Semaphore<Lane>(1, LANES);
  readonly #waiting: Readonly<Record<Lane, Waiting[]>> = { reveal: [], assertion: [], settle: [], read: [] };
  readonly #again: Readonly<Record<Lane, Again[]>> = { reveal: [], assertion: [], settle: [], read: [] };
  /** The lanes in which a turn is queued for what may be lost. */
  readonly #againQueued = new Set<Lane>();
  /** Hashes that were journalled and then certainly not sent. */
  readonly #neverSent = new RecentKeys(REMEMBERED_HASHES);

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** Whether it was signed by this process, and certainly not sent. */
  neverSent(hash: string): boolean {
    return this.#neverSent.has(hash);
  }

  /** Throws what the signer, the journal or the signal throws, or MarketFault; then nothing was sent. */
  send(request: ActionRequest, unsigned: readonly UnsignedTransaction[]): Promise<Sent> {
    return unsigned.length === 1
      ? this.#sendInCompany(request, unsigned)
      : this.#turns.run(request.lane, () => this.#sendAlone(request, unsigned));
  }

  /** One after the other, up to the first that the node does not take. */
  postInOrder(
    transactions: readonly SignedTransaction[],
    lane: Lane = RESEND_LANE,
  ): Promise<Stuck | undefined> {
    // No other transaction may choose a nonce in between: it would take that of the next one here.
    return this.#turns.run(lane, async () => {
      for (const transaction of transactions) {
        const [posted] = await this.#postAgain([transaction], lane);
        if (posted?.kind === "refused" || posted?.kind === "lost") return { transaction, posted };
      }
      return undefined;
    });
  }

  /** Each entry was signed in one go; in the order of the nonces. What the node does not take is left. */
  async postAll(
    entries: readonly (readonly SignedTransaction[])[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const inOrder = entries.toSorted((a, b) => (firstNonce(a) < firstNonce(b) ? -1 : 1));
    for (const [first, ...more] of inRequests(inOrder)) {
      signal?.throwIfAborted();
      if (more.length === 0) await this.postInOrder(first!);
      else await this.#turns.run(RESEND_LANE, () => this.#postAgain([first!, ...more].flat()));
    }
  }

  /**
   * Posts once more what was sent and may be lost, with others of which the same is true; `lost` again when there is no
   * answer in time, and `onLate` is told what comes later. What nothing waits for by its turn is left out.
   */
  postLost(
    transaction: SignedTransaction,
    lane: Lane,
    { signal, onLate }: Pick<Again, "signal" | "onLate">,
  ): Promise<Posted> {
    const posted = Promise.withResolvers<Posted>();
    this.#again[lane].push({ transaction, signal, onLate, posted });
    this.#queueLost(lane);
    return posted.promise;
  }

  /** One turn at a time, behind what is new by then: however many may be lost, a first post waits for one request of them. */
  #queueLost(lane: Lane): void {
    if (this.#againQueued.has(lane) || this.#again[lane].length === 0) return;
    this.#againQueued.add(lane);
    const turn = () => {
      this.#againQueued.delete(lane);
      return this.#postLostTogether(lane);
    };
    void this.#turns.run(lane, turn).finally(() => this.#queueLost(lane));
  }

  /** Tells each what became of its transaction. Never rejects. */
  async #postLostTogether(lane: Lane): Promise<void> {
    const again = this.#again[lane];
    const together: Again[] = [];
    while (together.length < MAX_TRANSACTIONS) {
      const next = again.shift();
      if (next === undefined) break;
      if (next.signal?.aborted) next.posted.resolve({ kind: "lost", reason: UNHEEDED });
      else together.push(next);
    }
    if (together.length === 0) return;
    together.sort((a, b) => (a.transaction.nonce < b.transaction.nonce ? -1 : 1));
    const tell = (posted: readonly Posted[]) => {
      for (const [index, { onLate }] of together.entries()) onLate(posted[index]!);
    };
    try {
      const transactions = together.map(({ transaction }) => transaction);
      const posted = await this.#postAgain(transactions, lane, { patienceMs: AGAIN_MS, onLate: tell });
      for (const [index, next] of together.entries()) next.posted.resolve(posted[index]!);
    } catch (error) {
      for (const next of together) next.posted.reject(error);
    }
  }

  async #postAgain(
    transactions: readonly SignedTransaction[],
    lane: Lane = RESEND_LANE,
    how: Pick<PostOptions, "patienceMs" | "onLate"> = {},
  ): Promise<readonly Posted[]> {
    const { gateway, nonces, random, timers } = this.#parts;
    // Whether or not they arrive, the node may now count otherwise than we do.
    nonces.doubt();
    const unsent = new Set(transactions.filter(({ hash }) => this.#neverSent.has(hash)));
    for (const { hash } of unsent) this.#neverSent.delete(hash);
    const posted = await postTransactions(gateway, transactions, { lane, random, timers, ...how });
    for (const [index, transaction] of transactions.entries()) {
      if (posted[index]?.kind === "refused" && unsent.has(transaction)) this.#neverSent.add(transaction.hash);
    }
    return posted;
  }

  /** The first turn takes all that wait; the turns of the others find nothing left to do. */
  #sendInCompany(request: ActionRequest, unsigned: readonly UnsignedTransaction[]): Promise<Sent> {
    const sent = Promise.withResolvers<Sent>();
    const waiting = this.#waiting[request.lane];
    waiting.push({ request, unsigned, sent });
    void this.#turns.run(request.lane, () => this.#sendTogether(waiting, request.lane));
    return sent.promise;
  }

  /** Takes from those who wait, and tells each what became of its transaction. */
  async #sendTogether(waiting: Waiting[], lane: Lane): Promise<void> {
    const together = await this.#signTogether(waiting);
    if (together.length === 0) return;
    try {
      for (const [index, sent] of (await this.#postTogether(together, lane)).entries())
        together[index]!.sent.resolve(sent);
    } catch (error) {
      for (const { sent } of together) sent.reject(error);
    }
  }

  async #signTogether(waiting: Waiting[]): Promise<readonly Signed[]> {
    const { nonces } = this.#parts;
    const together: Signed[] = [];
    // In a gap the node has to be asked for every nonce, and would not know of those signed just now.
    while (together.length < MAX_TRANSACTIONS && (together.length === 0 || nonces.sure())) {
      const next = waiting.shift();
      if (next === undefined) break;
      try {
        const [transaction] = await this.#sign(next.request, next.unsigned);
        together.push({ transaction: transaction!, sent: next.sent });
      } catch (error) {
        next.sent.reject(error);
        // The node cannot be asked for nonces: let the more urgent ones have their turn.
        if (error instanceof MarketFault) break;
      }
    }
    return together;
  }

  /** What became of each, in the same order. */
  async #postTogether(together: readonly Signed[], lane: Lane): Promise<readonly Sent[]> {
    const { gateway, nonces, random, timers } = this.#parts;
    const transactions = together.map(({ transaction }) => transaction);
    // The same action with the same nonce, given back in between, has the same hash again.
    for (const { hash } of transactions) this.#neverSent.delete(hash);
    const posted = await postTransactions(gateway, transactions, { lane, random, timers });
    const unsentFrom = posted.findLastIndex(({ kind }) => kind !== "refused") + 1;
    if (unsentFrom < posted.length) nonces.giveBack(transactions[unsentFrom]!.nonce);
    return posted.map((answer, index): Sent => {
      const transaction = transactions[index]!;
      if (answer.kind === "accepted") return { kind: "sent", last: transaction, lost: false };
      if (answer.kind === "lost" || answer.staleNonce || index < unsentFrom) nonces.doubt();
      if (answer.kind === "lost") return { kind: "sent", last: transaction, lost: true };
      this.#neverSent.add(transaction.hash);
      return answer.staleNonce ? { kind: "stale-nonce", reason: answer.reason } : answer;
    });
  }

  /** Signed and journalled, with nonces that are given back when either fails. */
  async #sign(
    request: ActionRequest,
    unsigned: readonly UnsignedTransaction[],
  ): Promise<readonly SignedTransaction[]> {
    const { nonces, signer } = this.#parts;
    request.signal?.throwIfAborted();
    const first = await nonces.reserve(unsigned.length);
    try {
      const signed = await signer.sign(request.action, unsigned, first);
      await request.journal(signed);
      return signed;
    } catch (error) {
      nonces.giveBack(first);
      throw error;
    }
  }

  async #sendAlone(request: ActionRequest, unsigned: readonly UnsignedTransaction[]): Promise<Sent> {
    const { nonces } = this.#parts;
    const signed = await this.#sign(request, unsigned);
    await this.#fill(nonces.gaps(), request, unsigned);
    for (const [index, transaction] of signed.entries()) {
      const sent = await this.#post(request, signed.slice(index), transaction);
      if (sent !== undefined) return sent;
    }
    return { kind: "sent", last: signed.at(-1)!, lost: false };
  }

  /**
   * A gap too small for all transactions of an action takes the first of them, once more: only an approval has others
   * behind it, and by itself it changes nothing that matters. Whether it arrives is not waited for; it was a gap or not.
   */
  async #fill(
    gaps: readonly bigint[],
    request: ActionRequest,
    unsigned: readonly UnsignedTransaction[],
  ): Promise<void> {
    const { gateway, signer, random, timers, log } = this.#parts;
    for (const nonce of gaps) {
      const [filler] = await signer.sign(request.action, unsigned, nonce);
      if (filler === undefined) return;
      const posted = await postTransaction(gateway, filler, { lane: request.lane, random, timers });
      log.info({ guid: request.action.guid, nonce, posted: posted.kind }, "market.nonce-gap-filled");
      // Every other action waits: one transaction that is swallowed is enough.
      if (posted.kind === "lost") return;
    }
  }

  /** Undefined when the node took it. `rest` begins with the transaction. */
  async #post(
    request: ActionRequest,
    rest: readonly SignedTransaction[],
    transaction: SignedTransaction,
  ): Promise<Sent | undefined> {
    const { gateway, nonces, random, timers } = this.#parts;
    // The same action with the same nonce, given back in between, has the same hash again.
    this.#neverSent.delete(transaction.hash);
    const posted = await postTransaction(gateway, transaction, { lane: request.lane, random, timers });
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
}

const UNHEEDED = "Nothing waits for it any more.";

const firstNonce = (signed: readonly SignedTransaction[]): bigint => signed[0]?.nonce ?? 0n;

/** What can be sent in one request; an assertion waits for the answer to its approval. */
function* inRequests(
  entries: readonly (readonly SignedTransaction[])[],
): Generator<readonly (readonly SignedTransaction[])[]> {
  let singles: (readonly SignedTransaction[])[] = [];
  for (const signed of entries) {
    if (signed.length === 1) singles.push(signed);
    if (singles.length > 0 && (signed.length > 1 || singles.length === MAX_TRANSACTIONS)) {
      yield singles;
      singles = [];
    }
    if (signed.length > 1) yield [signed];
  }
  if (singles.length > 0) yield singles;
}
