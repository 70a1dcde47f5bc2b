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

const ATTEMPTS = 3;
const BACKOFF_MS = 200;
/** Everybody's next transaction waits for this answer: for all attempts together, pauses of our rate included. */
const PATIENCE_MS = 5_000;
/** For one attempt: what was swallowed is worth posting once more. */
const TIMEOUT_MS = 2_400;

/**
 * Posts one transaction. What got lost in transit is posted again as it is, which can never make two of it: the node
 * says "known transaction" to the second, and that is success. Never throws a MarketFault, and does not stop half-way
 * when the caller loses interest: only the answer says whether the nonce is used.
 */
export async function postTransaction(
  gateway: Gateway,
  transaction: SignedTransaction,
  options: { readonly lane: Lane; readonly random: () => number },
): Promise<Posted> {
  let maybeSent = false;
  let reason = "";
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await sleep(BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + options.random()));
    const leftMs = Math.round(giveUpAt - performance.now());
    if (leftMs <= 0) break;
    try {
      const errors = await post(gateway, transaction, options.lane, leftMs);
      return errors === undefined ? { kind: "accepted" } : judge(errors, maybeSent);
    } catch (error) {
      if (!(error instanceof MarketFault)) throw error;
      if (error.status !== undefined && !error.retryable)
        return judge(error.messages.join("; ") || error.message, maybeSent);
      maybeSent ||= error.reached !== "no";
      reason = error.message;
      if (!error.retryable) break;
    }
  }
  return maybeSent
    ? { kind: "lost", reason }
    : { kind: "refused", reason, staleNonce: false, retryable: true };
}

/** The node's complaint, or undefined when it took the transaction. */
async function post(
  gateway: Gateway,
  { raw }: SignedTransaction,
  lane: Lane,
  patienceMs: number,
): Promise<string | undefined> {
  const what = "posting a transaction";
  const result = await gateway.ask({
    what,
    method: "POST",
    path: "/transactions",
    body: { transactions: [raw] },
    lane,
    timeoutMs: Math.min(TIMEOUT_MS, patienceMs),
    patienceMs,
  });
  const errors = readAs(Entries, what, result).filter((entry) => entry.is_error);
  return errors.length === 0 ? undefined : errors.map((entry) => entry.message).join("; ");
}

function judge(complaint: string, maybeSent: boolean): Posted {
  if (/known transaction|already known|already imported/i.test(complaint)) return { kind: "accepted" };
  // Whatever this attempt is told, an earlier one may have arrived (and used the nonce up): its hash will tell.
  if (maybeSent) return { kind: "lost", reason: complaint };
  const staleNonce = /nonce too low|nonce has already been used|underpriced/i.test(complaint);
  return { kind: "refused", reason: complaint, staleNonce, retryable: staleNonce };
}
