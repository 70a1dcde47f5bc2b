import { sameAddress } from "../../../../domain/address.ts";
import type { Nct } from "../../../../domain/nct.ts";
import type { ArbiterVote } from "../../port/marketplace.ts";
import type { DutyContext } from "../record/duty-context.ts";
import { mostPayable, payoutOwed } from "./payout.ts";

/** What the contract holds of a bounty, as the marketplace shows it. */
export interface MarketRecord {
  /** Whether an assertion of ours is among those listed. */
  readonly listed: boolean;
  /** What it owes us for a settlement; `undefined` where assertions and votes do not say. */
  readonly owed: Nct | undefined;
  /** The most that it could pay us. */
  readonly most: Nct;
  readonly votes: readonly ArbiterVote[];
}

/** Rejects when the marketplace shows neither assertions nor votes now. */
export async function readMarketRecord(context: DutyContext): Promise<MarketRecord> {
  const { market, key, record, assertion, signal } = context;
  const { account } = market;
  const [assertions, votes] = await Promise.all([
    market.assertions(key.guid, signal),
    market.votes(key.guid, signal),
  ]);
  const { amount, artifactCount } = record.bounty;
  const terms = { amount, artifactCount, assertionFee: market.parameters().assertionFee };
  const { bids, fee } = assertion;
  return {
    listed: assertions.some(({ author }) => sameAddress(author, account)),
    owed: payoutOwed(terms, assertions, votes, account),
    most: mostPayable(terms, assertions, { account, bids, fee }),
    votes,
  };
}
