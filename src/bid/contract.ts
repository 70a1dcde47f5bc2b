/**
 * The contract of a bid strategy; published as `microengine/bid`. docs/writing-a-bid-strategy.md explains it by
 * example. A strategy module exports `bidStrategy`, either a `BidStrategy` or a function that returns one. It is pure:
 * whatever it wants to know comes in with the request. It runs in the process that holds the wallet, so use only code
 * you trust.
 */
import type { MarketId } from "../domain/bounty.ts";
import type { Guid } from "../domain/guid.ts";
import type { Instant } from "../domain/instant.ts";
import type { Nct } from "../domain/nct.ts";
import type { Ppm } from "../domain/verdict.ts";

/** One artifact we are ready to speak about. */
export interface BidArtifact {
  readonly index: number;
  readonly verdict: "malicious" | "benign";
  /** The chance that the verdict is right, in parts per million: 500_000 at even odds, 1_000_000 at certainty. */
  readonly confidence: Ppm;
  readonly interval: readonly [low: Ppm, high: Ppm];
  readonly family: string;
}

/** What another engine has staked. */
export interface RivalBids {
  /** As its marketplace names it. */
  readonly author: string;
  /** When we heard of it. */
  readonly at: Instant;
  readonly mask: bigint;
  /** One per set bit of `mask`, lowest bit first. */
  readonly bids: readonly Nct[];
}

/** Amounts in base units of 10^-18 NCT. */
export interface BidRequest {
  readonly guid: Guid;
  readonly market: MarketId;
  readonly artifacts: readonly BidArtifact[];
  /** Of the whole bounty, including artifacts we keep silent about. */
  readonly artifactCount: number;
  /** The ambassador's reward for the whole bounty. */
  readonly reward: Nct;
  /** The contract's limits per artifact, the upper one no higher than what may be staked now. */
  readonly bidMinimum: Nct;
  readonly bidMaximum: Nct;
  /** Paid once per assertion, never returned. */
  readonly assertionFee: Nct;
  /** What the other engines have staked on this bounty so far, one entry per assertion heard of. */
  readonly rivals: readonly RivalBids[];
  /**
   * What may be spent on this bounty now, fee included: what the wallet holds, less what is already promised, and what the
   * operator's limits leave of it.
   */
  readonly balance: Nct;
  /** Our stakes that are posted and not settled yet. */
  readonly atRisk: Nct;
}

/** A stake per artifact of the request, in its order; `null` keeps silent about that artifact. */
export type Bids = readonly (bigint | null)[];

export interface BidStrategy {
  readonly name: string;
  bid(request: BidRequest): Bids;
}

/** Gives an object literal the type of a bid strategy. */
export const defineBidStrategy = (strategy: BidStrategy): BidStrategy => strategy;
