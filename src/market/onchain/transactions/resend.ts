import type { SignedTransaction } from "../../../wallet/transaction.ts";
import { MarketFault } from "../http/answer.ts";
import type { Resent } from "../port/marketplace.ts";
import type { Posted } from "./post-transactions.ts";
import type { Fate } from "./receipts.ts";

/** A transaction that the node did not take, and why. */
export interface Stuck {
  readonly transaction: SignedTransaction;
  readonly posted: Exclude<Posted, { kind: "accepted" }>;
}

interface ResendParts {
  /** Hands these to the node one after the other, up to the first that it does not take. */
  readonly postInOrder: (transactions: readonly SignedTransaction[]) => Promise<Stuck | undefined>;
  /** How many transactions of our account were mined. Throws MarketFault. */
  readonly minedCount: () => Promise<bigint>;
  /** Throws MarketFault. */
  readonly fateOf: (hash: string) => Promise<Fate>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends once more what was signed in one go for one action, in the order of the nonces:
 *
 *     sending ──all taken──► sent
 *       │   ▲
 * nonce │   │ it was mined itself
 *  used ▼   │
 *     asking whose ──another's──► void
 *     (either) ──no answer, or one that settles nothing──► unknown
 *
 * What comes after an approval that another transaction replaced, or that reverted, is not sent: it would find
 * the allowance of another transaction.
 */
export async function resendInOrder(
  signed: readonly SignedTransaction[],
  parts: ResendParts,
): Promise<Resent> {
  let left: readonly SignedTransaction[] = signed.toSorted((a, b) => (a.nonce < b.nonce ? -1 : 1));
  for (;;) {
    if (parts.signal?.aborted) return STOPPED;
    const stuck = await parts.postInOrder(left);
    if (stuck === undefined) return { kind: "sent" };
    const { transaction, posted } = stuck;
    if (posted.kind === "lost" || !posted.staleNonce) return { kind: "unknown", reason: posted.reason };
    const user = await whoUsedTheNonce(transaction, posted.reason, parts);
    if (user.kind !== "itself") return user;
    left = left.slice(left.indexOf(transaction) + 1);
    if (left.length === 0) return { kind: "sent" };
    if (user.reverted !== undefined)
      return { kind: "void", reason: `Its approval reverted: ${user.reverted}.` };
  }
}

const STOPPED = { kind: "unknown", reason: "We stopped before it was sent." } as const;

type User = Exclude<Resent, { kind: "sent" }> | { readonly kind: "itself"; readonly reverted?: string };

/**
 * A node that lags calls a nonce used that others do not, and one transaction in the pool keeps another out before
 * either is mined. So the count of mined ones must agree, and it is asked for first: what was mined by then has its
 * receipt afterwards.
 */
async function whoUsedTheNonce(
  { nonce, hash }: SignedTransaction,
  complaint: string,
  parts: ResendParts,
): Promise<User> {
  try {
    const mined = await parts.minedCount();
    const fate = await parts.fateOf(hash);
    if (fate.kind === "mined") return { kind: "itself" };
    if (fate.kind === "reverted") return { kind: "itself", reverted: fate.reason };
    if (!fate.looked) return { kind: "unknown", reason: fate.reason };
    if (mined <= nonce) return { kind: "unknown", reason: complaint };
    return { kind: "void", reason: `Another transaction was mined with the account nonce ${nonce}.` };
  } catch (error) {
    if (parts.signal?.aborted) return STOPPED;
    if (error instanceof MarketFault) return { kind: "unknown", reason: error.message };
    throw error;
  }
}
