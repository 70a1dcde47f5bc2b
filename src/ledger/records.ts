import type { Bounty, MarketId } from "../domain/bounty.ts";
import type { Guid } from "../domain/guid.ts";
import type { Instant } from "../domain/instant.ts";
import type { AbandonReason, BountyState } from "../domain/lifecycle.ts";
import type { Nct } from "../domain/nct.ts";
import type { Ppm } from "../domain/verdict.ts";

export interface BountyKey {
  readonly market: MarketId;
  readonly guid: Guid;
}

/** An entry of the journal, as its row is numbered: later ones have higher numbers. */
export type JournalPosition = number;
/** Before everything that was written. */
export const FIRST_POSITION: JournalPosition = 0;

/** A bounty and how far we came with it. */
export interface BountyRecord {
  readonly bounty: Bounty;
  readonly state: BountyState;
  readonly reason: AbandonReason | null;
  /** The arbiters have agreed: settlement need not wait for the end of the vote window. */
  readonly quorum: boolean;
  readonly revealMissed: boolean;
  readonly seenAt: Instant;
}

/** What we promised, or are about to promise, to the market. */
export interface AssertionRecord {
  readonly commitment: bigint;
  /** The secret of the commitment; without it the stake is lost. */
  readonly nonce: bigint;
  readonly mask: bigint;
  readonly verdicts: bigint;
  /** One per set bit of `mask`, lowest bit first. */
  readonly bids: readonly Nct[];
  /**
   * The confidence behind each bid, in the order of `bids`: the opinion's, changed by the operator's modifiers. Absent
   * where it is not known any more.
   */
  readonly confidences?: readonly Ppm[];
  readonly stake: Nct;
  readonly fee: Nct;
  /** One entry per artifact of the bounty. */
  readonly metadata: readonly Readonly<Record<string, unknown>>[];
  readonly metadataUri: string | null;
  /** Position on the bounty, known once it is posted. */
  readonly index: number | null;
  readonly plannedAt: Instant;
  /** Milliseconds from hearing of the bounty until the assertion request left. */
  readonly requestedMs: number | null;
  readonly payout: Nct | null;
}

/** What a plan fixes; the rest comes to be known later. */
export type PlannedAssertion = Omit<AssertionRecord, "metadataUri" | "index" | "requestedMs" | "payout">;

/** What is sent to a marketplace for a bounty: the answer, what opens it, and what brings in what it won. */
export type Step = "assert" | "reveal" | "settle";

/** What was durable before its bytes left. */
export interface JournalEntry {
  /** Names it, once in the ledger: a transaction's hash, or whatever the marketplace calls it by. */
  readonly reference: string;
  /** As it is sent: a transaction, a signed message, the body of a request. Empty where it is not known any more. */
  readonly bytes: string;
  /** What the marketplace takes our entries in order of, as an account nonce; 0 where there is none. */
  readonly sequence: bigint;
}

/** Totals over the whole ledger; amounts in base units. */
export interface LedgerSummary {
  readonly bounties: number;
  readonly byState: Readonly<Partial<Record<BountyState, number>>>;
  /** Assertions that came onto the market, and how many of them were revealed and settled. */
  readonly asserted: number;
  readonly revealed: number;
  readonly settled: number;
  readonly staked: Nct;
  readonly atRisk: Nct;
  /** Payouts less stakes and fees, of settled bounties whose payout is known. May be negative. */
  readonly profit: Nct;
  readonly revealsMissed: number;
  /** Asserted artifacts whose truth is known: how many we had right and wrong. */
  readonly right: number;
  readonly wrong: number;
}
