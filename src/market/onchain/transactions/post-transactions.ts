import { z } from "zod";
import { backoff } from "../../../async/backoff.ts";
import type { Timers } from "../../../async/timers.ts";
import type { SignedTransaction } from "../../../wallet/transaction.ts";
import { MarketFault } from "../http/answer.ts";
import type { Asker } from "../http/ask.ts";
import type { Lane } from "../http/lane.ts";
import { readAs } from "../reads/schemas.ts";

/** What became of handing a signed transaction to the node. */
export type Posted =
  | { readonly kind: "accepted" }
  /** Certainly not in the node. */
  | {
      readonly kind: "refused";
      readonly reason: string;
      readonly staleNonce: boolean;
      readonly retryable: boolean;
    }
  /** Sent, and no answer that says whether it arrived. */
  | { readonly kind: "lost"; readonly reason: string };

const Entries = z.array(z.object({ is_error: z.boolean(), message: z.string().default("") }));
type Entries = z.infer<typeof Entries>;

/** The gateway takes at most ten transactions at a time. */
export const MAX_TRANSACTIONS = 10;

/** Whether an earlier attempt may have arrived. */
type Before = "not-sent" | "maybe-sent";

const ATTEMPTS = 3;
const BACKOFF_MS = 200;
/** The next transaction of every bounty waits for this answer: for all attempts together, pauses of our rate included. */
const PATIENCE_MS = 5_000;
/**
 * A request that is only slow arrives all the same: it goes on when nothing waits for its answer any more, without a slot of
 * those that reveals need (in-flight.ts). When there are too many of those it is called off: what it carries is durable,
 * and is posted again for as long as it matters.
 */
const TIMEOUT_MS = 60_000;
/** What was swallowed is worth posting once more, beside what may only be slow. */
const HEDGE_MS = 2_400;
/** The gateway hands them to the node one after the other. */
const HEDGE_MS_EACH_MORE = 100;

export interface PostOptions {
  readonly lane: Lane;
  readonly random: () => number;
  readonly timers: Timers;
  /** For all attempts together. Default 5 s. */
  readonly patienceMs?: number;
  /** Told what became of each when a request is answered that was not waited for any more. */
  readonly onLate?: (posted: readonly Posted[]) => void;
}

/**
 * Posts up to ten transactions in one request, in nonce order; one answer for each, in the same order. What got lost in
 * transit, or is slow to be answered, is posted again as it is, which can never make two of it: the node says "known
 * transaction" to the second, and that is success. Never throws a MarketFault, and does not stop half-way when the caller
 * does not wait any more: only the answer says whether the nonces are used.
 */
export async function postTransactions(
  gateway: Asker,
  transactions: readonly SignedTransaction[],
  options: PostOptions,
): Promise<readonly Posted[]> {
  const readAll = (entries: Entries, before: Before): readonly Posted[] =>
    complaints(entries, transactions.length).map((complaint) => readComplaint(complaint, before));
  let before: Before = "not-sent";
  let reason = "";
  const { timers, random } = options;
  const giveUpAt = timers.now() + (options.patienceMs ?? PATIENCE_MS);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await timers.sleep(backoff(attempt, { firstMs: BACKOFF_MS, random }));
    const leftMs = Math.round(giveUpAt - timers.now());
    if (leftMs <= 0) break;
    try {
      const onLate = (entries: Entries) => options.onLate?.(readAll(entries, "maybe-sent"));
      return readAll(await post(gateway, transactions, { ...options, patienceMs: leftMs, onLate }), before);
    } catch (error) {
      if (!(error instanceof MarketFault)) throw error;
      if (error.status !== undefined && !error.retryable) {
        const whole = [{ is_error: true, message: error.messages.join("; ") || error.message }];
        const entries = Entries.min(1).safeParse(error.errors).data ?? whole;
        // A refusal of the request as a whole says nothing about each.
        if (entries.length !== transactions.length && before === "not-sent")
          return await oneByOne(gateway, transactions, options);
        return readAll(entries, before);
      }
      if (error.reached !== "no") before = "maybe-sent";
      reason = error.message;
      if (!error.retryable || gateway.gone?.()) break;
    }
  }
  const posted: Posted =
    before === "maybe-sent"
      ? { kind: "lost", reason }
      : { kind: "refused", reason, staleNonce: false, retryable: true };
  return transactions.map(() => posted);
}

/** See `postTransactions`. */
export async function postTransaction(
  gateway: Asker,
  transaction: SignedTransaction,
  options: PostOptions,
): Promise<Posted> {
  const [posted] = await postTransactions(gateway, [transaction], options);
  return posted!;
}

async function oneByOne(
  gateway: Asker,
  transactions: readonly SignedTransaction[],
  options: PostOptions,
): Promise<readonly Posted[]> {
  const posted: Posted[] = [];
  for (const transaction of transactions) posted.push(await postTransaction(gateway, transaction, options));
  return posted;
}

interface RequestOptions extends Pick<PostOptions, "lane" | "timers"> {
  readonly patienceMs: number;
  readonly onLate: (entries: Entries) => void;
}

/** Rejects with MARKET_TIMEOUT when there is no answer in time; the request goes on. */
async function post(
  gateway: Asker,
  transactions: readonly SignedTransaction[],
  { lane, timers, patienceMs, onLate }: RequestOptions,
): Promise<Entries> {
  const what = transactions.length === 1 ? "posting a transaction" : "posting transactions";
  const unheeded = new AbortController();
  const asked = gateway.ask({
    what,
    method: "POST",
    path: "/transactions",
    body: { transactions: transactions.map(({ raw }) => raw) },
    lane,
    hedgeMs: HEDGE_MS + (transactions.length - 1) * HEDGE_MS_EACH_MORE,
    timeoutMs: TIMEOUT_MS,
    patienceMs,
    unheeded: unheeded.signal,
  });
  const answered = new AbortController();
  const late = timers.sleep(patienceMs, answered.signal).then(
    () => {
      asked.then((answer) => onLate(readAs(Entries, what, answer))).catch(() => undefined);
      unheeded.abort(new Error(UNHEEDED));
      const sentence = `The marketplace did not answer in time (${what}).`;
      throw new MarketFault("MARKET_TIMEOUT", sentence, { reached: "maybe", retryable: true });
    },
    () => asked,
  );
  // It may be that nothing waits for it any more when it fails.
  asked.catch(() => undefined);
  return readAs(Entries, what, await Promise.race([asked, late]).finally(() => answered.abort()));
}

const UNHEEDED = "Nothing waits for this request any more.";

/** What the node has against each, undefined where it took it. Too few or too many entries are about all of them. */
function complaints(entries: Entries, count: number): readonly (string | undefined)[] {
  if (entries.length === count) return entries.map((entry) => (entry.is_error ? entry.message : undefined));
  const errors = entries.filter((entry) => entry.is_error);
  const joined = errors.length === 0 ? undefined : errors.map((entry) => entry.message).join("; ");
  return Array.from({ length: count }, () => joined);
}

function readComplaint(complaint: string | undefined, before: Before): Posted {
  if (complaint === undefined || /known transaction|already known|already imported/i.test(complaint))
    return { kind: "accepted" };
  // Whatever this attempt is told, an earlier one may have arrived (and used the nonce up): its hash will tell.
  if (before === "maybe-sent") return { kind: "lost", reason: complaint };
  const staleNonce = /nonce too low|nonce has already been used|underpriced/i.test(complaint);
  return { kind: "refused", reason: complaint, staleNonce, retryable: staleNonce };
}
