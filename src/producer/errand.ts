import { sameAddress } from "../domain/address.ts";
import type { Clock } from "../domain/chain.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { AssertionRecord, BountyKey, BountyRecord } from "../ledger/records.ts";
import type { Marketplace, PostedAssertion } from "../market/port.ts";
import type { Tell } from "./events.ts";
import type { Purse } from "./purse.ts";

export interface DutiesParts {
  readonly market: Marketplace;
  readonly ledger: Ledger;
  readonly purse: Purse;
  readonly clock: Clock;
  readonly tell: Tell;
}

/** One duty about one bounty: what is known of it, and what is needed to do it. */
export interface Errand extends DutiesParts {
  readonly key: BountyKey;
  readonly record: BountyRecord;
  readonly assertion: AssertionRecord;
  /** When we heard of the bounty; unknown after a restart. */
  readonly heardAt: number | undefined;
  /** How often in a row duties about this bounty did not succeed. */
  readonly failures: number;
  /** Aborts when the bounty has something more urgent to do than to wait for this. */
  readonly signal: AbortSignal;
}

/** How a duty went: done, or a sentence that says why it has to be tried again. */
export type DutyResult = string | undefined;

/** Our assertion as the market lists it. */
export async function findOurs({ market, key, assertion }: Errand): Promise<PostedAssertion | undefined> {
  const posted = await market.assertions(key.guid);
  return posted.find(
    (item) => sameAddress(item.author, market.account) && item.commitment === assertion.commitment,
  );
}
