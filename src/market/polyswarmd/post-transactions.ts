import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { SignedTransaction } from "../../domain/transaction.ts";
import { MarketFault } from "./answer.ts";
import type { Gateway } from "./http.ts";
import type { Lane } from "./lane.ts";
import { readAs } from "./schemas.ts";

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

const ATTEMPTS = 3;
const BACKOFF_MS = 200;
/** Everybody's next transaction waits for this answer: for all attempts together, pauses of our rate included. */
const PATIENCE_MS = 5_000;
/** For one attempt: what was swallowed is worth posting once more. */
const TIMEOUT_MS = 2_400;
/** The gateway hands them to the node one after the other. */
const TIMEOUT_MS_EACH_MORE = 100;

type Options = { readonly lane: Lane; readonly random: () => number };

/**
 * Posts up to ten transactions in one request, in nonce order; one answer for each, in the same order. What got lost in
 * transit is posted again as it is, which can never make two of it: the node says "known transaction" to the second, and
 * that is success. Never throws a MarketFault, and does not stop half-way when the caller loses interest: only the answer
 * says whether the nonces are used.
 */
export async function postTransactions(
  gateway: Gateway,
  transactions: readonly SignedTransaction[],
  options: Options,
): Promise<readonly Posted[]> {
  const judgeAll = (entries: Entries, maybeSent: boolean): readonly Posted[] =>
    complaints(entries, transactions.length).map((complaint) => judge(complaint, maybeSent));
  let maybeSent = false;
  let reason = "";
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await sleep(BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + options.random()));
    const leftMs = Math.round(giveUpAt - performance.now());
    if (leftMs <= 0) break;
    try {
      return judgeAll(await post(gateway, transactions, options.lane, leftMs), maybeSent);
    } catch (error) {
      if (!(error instanceof MarketFault)) throw error;
      if (error.status !== undefined && !error.retryable) {
        const whole = [{ is_error: true, message: error.messages.join("; ") || error.message }];
        const entries = Entries.min(1).safeParse(error.errors).data ?? whole;
        // A refusal of the request as a whole says nothing about each.
        if (entries.length !== transactions.length && !maybeSent)
          return await oneByOne(gateway, transactions, options);
        return judgeAll(entries, maybeSent);
      }
      maybeSent ||= error.reached !== "no";
      reason = error.message;
      if (!error.retryable) break;
    }
  }
  const posted: Posted = maybeSent
    ? { kind: "lost", reason }
    : { kind: "refused", reason, staleNonce: false, retryable: true };
  return transactions.map(() => posted);
}

/** See `postTransactions`. */
export async function postTransaction(
  gateway: Gateway,
  transaction: SignedTransaction,
  options: Options,
): Promise<Posted> {
  const [posted] = await postTransactions(gateway, [transaction], options);
  return posted!;
}

async function oneByOne(
  gateway: Gateway,
  transactions: readonly SignedTransaction[],
  options: Options,
): Promise<readonly Posted[]> {
  const posted: Posted[] = [];
  for (const transaction of transactions) posted.push(await postTransaction(gateway, transaction, options));
  return posted;
}

async function post(
  gateway: Gateway,
  transactions: readonly SignedTransaction[],
  lane: Lane,
  patienceMs: number,
): Promise<Entries> {
  const what = transactions.length === 1 ? "posting a transaction" : "posting transactions";
  const timeoutMs = TIMEOUT_MS + (transactions.length - 1) * TIMEOUT_MS_EACH_MORE;
  const result = await gateway.ask({
    what,
    method: "POST",
    path: "/transactions",
    body: { transactions: transactions.map(({ raw }) => raw) },
    lane,
    timeoutMs: Math.min(timeoutMs, patienceMs),
    patienceMs,
  });
  return readAs(Entries, what, result);
}

/** What the node has against each, undefined where it took it. Too few or too many entries are about all of them. */
function complaints(entries: Entries, count: number): readonly (string | undefined)[] {
  if (entries.length === count) return entries.map((entry) => (entry.is_error ? entry.message : undefined));
  const errors = entries.filter((entry) => entry.is_error);
  const joined = errors.length === 0 ? undefined : errors.map((entry) => entry.message).join("; ");
  return Array.from({ length: count }, () => joined);
}

function judge(complaint: string | undefined, maybeSent: boolean): Posted {
  if (complaint === undefined || /known transaction|already known|already imported/i.test(complaint))
    return { kind: "accepted" };
  // Whatever this attempt is told, an earlier one may have arrived (and used the nonce up): its hash will tell.
  if (maybeSent) return { kind: "lost", reason: complaint };
  const staleNonce = /nonce too low|nonce has already been used|underpriced/i.test(complaint);
  return { kind: "refused", reason: complaint, staleNonce, retryable: staleNonce };
}
