import type { Nct } from "../../../../domain/nct.ts";

/** What is known of a settlement of ours at the second look. */
interface SettlementFacts {
  /** What it paid, by two answers some blocks apart; `null` when no answer says it. */
  readonly payout: Nct | null;
  /** `receipt`: of a transaction of ours. `announcement`: a frame of the event stream, and no receipt can be had. */
  readonly source: "receipt" | "announcement";
  /** The account nonce of what was signed last is used, by the node's count of mined transactions. */
  readonly nonceUsed: boolean;
  /** What the contract owes us by the assertions and votes that it holds; `undefined` where they do not say. */
  readonly owed: Nct | undefined;
  /** The most that the contract could pay us for this bounty. */
  readonly most: Nct;
  /** The contract refused another settlement of ours because this one is there. */
  readonly refused: boolean;
  /** It was asked for that refusal, whatever became of it. */
  readonly contractAsked: boolean;
}

type SettlementBelief =
  /** `null`: the contract says that it is settled, and no answer says what that paid. */
  | { readonly kind: "settled"; readonly payout: Nct | null }
  /** It did not happen yet, as far as one can know: go on handing over. */
  | { readonly kind: "not-yet"; readonly why: string }
  /** Answers contradict each other: send another settlement, which the contract refuses if there was one. */
  | { readonly kind: "ask-contract" }
  /** It happened, and what it is said to have paid cannot be right, or cannot be confirmed. */
  | { readonly kind: "unverified"; readonly why: string };

/**
 * Whether a settlement is believed. A receipt alone never is: an empty one stands for a payout of nothing, and is
 * easily made up. The node's count of our transactions must have gone past it, the sum must be one that the contract can pay,
 * and it must be what the contract's own assertions and votes come to, or else the contract must have refused another.
 */
export function believeSettlement(facts: SettlementFacts): SettlementBelief {
  const { payout, source, nonceUsed, owed, most, refused, contractAsked } = facts;
  if (!nonceUsed)
    return { kind: "not-yet", why: "a receipt is there, but our account nonce is not used yet" };
  if (payout !== null && payout === owed && payout <= most) return { kind: "settled", payout };
  if (refused && (payout === null || source === "announcement")) return { kind: "settled", payout: null };
  if (source === "announcement")
    return { kind: "not-yet", why: "a payout was announced that the votes do not come to" };
  if (!refused && !contractAsked) return { kind: "ask-contract" };
  if (payout === null || !refused)
    return { kind: "unverified", why: "the contract does not say that the bounty is settled" };
  if (payout > most) return { kind: "unverified", why: "the receipt shows more than the contract could pay" };
  if (payout === 0n) return { kind: "unverified", why: "the receipt shows no transfer, though one is owed" };
  return { kind: "settled", payout };
}
