/**
 * Sums of money that are asked for before every bid. SQLite adds them up, in two halves of which each fits its 64 bits,
 * so they are exact; none of them reads more than the rows it is about, however long the ledger is.
 */
import type { DatabaseSync } from "node:sqlite";
import type { ChainName, Instant } from "../domain/chain.ts";
import { type BountyState, PROMISED_STATES, STAKED_STATES } from "../domain/lifecycle.ts";
import { type Nct, nct } from "../domain/nct.ts";

/** Nine digits below, the rest above: enough for 9 * 10^9 NCT. */
const HALF = 10n ** 9n;
const halves = (column: string): string =>
  `coalesce(sum(CAST(substr(${column}, 1, length(${column}) - 9) AS INTEGER)), 0) AS ${column}_high,
   coalesce(sum(CAST(substr(${column}, -9) AS INTEGER)), 0) AS ${column}_low`;

type Halves<Column extends string> = Readonly<Record<`${Column}_${"high" | "low"}`, bigint>>;

// CROSS JOIN and the plus keep SQLite from walking the whole ledger: few bounties are open, which it cannot know.
const stakedInStates = (states: readonly BountyState[], chain?: ChainName) =>
  `SELECT ${halves("stake")} FROM bounty CROSS JOIN assertion USING (chain, guid)
   WHERE state IN (${states.map(() => "?").join(", ")}) ${chain === undefined ? "" : "AND +bounty.chain = ?"}`;

const STAKED_SINCE = `SELECT ${halves("stake")} FROM assertion CROSS JOIN bounty USING (chain, guid)
   WHERE planned_at >= ? AND state <> 'abandoned'`;

const PROFIT_SINCE = `SELECT ${["payout", "stake", "fee"].map(halves).join(", ")} FROM assertion
   WHERE settled_at >= ? AND payout IS NOT NULL`;

/** Every query of this file, for a look at how SQLite goes about them. */
export const MONEY_QUERIES: readonly string[] = [
  stakedInStates(PROMISED_STATES),
  stakedInStates(STAKED_STATES, "side"),
  STAKED_SINCE,
  PROFIT_SINCE,
];

/** Our stakes on bounties in these states, on one chain or on all. */
export function stakedIn(db: DatabaseSync, states: readonly BountyState[], chain?: ChainName): Nct {
  const row = ask<"stake">(
    db,
    stakedInStates(states, chain),
    ...states,
    ...(chain === undefined ? [] : [chain]),
  );
  return nct(row.stake_high * HALF + row.stake_low);
}

/** Stakes planned at or after an instant, unless nothing was posted after all. */
export function stakedSince(db: DatabaseSync, since: Instant): Nct {
  const row = ask<"stake">(db, STAKED_SINCE, since);
  return nct(row.stake_high * HALF + row.stake_low);
}

/** Payouts less stakes and fees of what was settled at or after an instant; negative when more was lost than won. */
export function profitSince(db: DatabaseSync, since: Instant): Nct {
  const row = ask<"payout" | "stake" | "fee">(db, PROFIT_SINCE, since);
  const high = row.payout_high - row.stake_high - row.fee_high;
  const low = row.payout_low - row.stake_low - row.fee_low;
  return nct(high * HALF + low);
}

function ask<Column extends string>(
  db: DatabaseSync,
  sql: string,
  ...values: (string | number)[]
): Halves<Column> {
  const statement = db.prepare(sql);
  statement.setReadBigInts(true);
  return statement.get(...values) as Halves<Column>;
}
