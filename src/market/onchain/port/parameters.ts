import type { Nct } from "../../../domain/nct.ts";

/** What the marketplace charges, allows and waits for; changes while bounties are in flight. Amounts per artifact. */
export interface MarketParameters {
  readonly bountyFee: Nct;
  readonly assertionFee: Nct;
  readonly bountyAmountMinimum: Nct;
  readonly bidMinimum: Nct;
  readonly bidMaximum: Nct;
  /** Blocks after expiration in which a reveal is accepted. */
  readonly revealWindow: number;
  /** Blocks after the reveal window in which arbiters vote. */
  readonly voteWindow: number;
  /** Blocks an ambassador may ask for at most. */
  readonly maxDuration: number;
}
