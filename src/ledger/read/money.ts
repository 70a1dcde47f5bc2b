/**
 * Sums of money that are asked for before every bid. They are added up as bigints, so they are exact however large an
 * amount is: SQLite's own integers end at 2^63, and its sum() fails there. None of them reads more than the rows it is
 * about, however long the ledger is.
 */
import type { DatabaseSync } from "node:sqlite";
import type { MarketId } from "../../domain/bounty.ts";
import type { Instant } from "../../domain/instant.ts";
import { type BountyState, PROMISED_STATES, STAKED_STATES } from "../../domain/lifecycle.ts";
import { type Nct, nct } from "../../domain/nct.ts";

/** Teaches a connection `sum_amounts(text)`, the decimal text of a sum of decimal texts; NULL counts for nothing. */
export function addSumOfAmounts(db: DatabaseSync): void {
  db.aggregate("sum_amounts", {
    deterministic: true,
    start: () => 0n,
    step: (sum: bigint, amount: unknown) => (typeof amount === "string" ? sum + BigInt(amount) : sum),
    result: (sum: bigint) => sum.toString(),
  });
}

const sumOf = (column: string): string => `sum_amounts(${column}) AS ${column}`;

// CROSS JOIN and the plus keep SQLite from walking the whole ledger: few bounties are open, which it cannot know.
const stakedInStates = (states: readonly BountyState[], market?: MarketId) =>
  `SELECT ${sumOf("stake")} FROM bounty CROSS JOIN assertion USING (market, guid)
   WHERE state IN (${states.map(() => "?").join(", ")}) ${market === undefined ? "" : "AND +bounty.market = ?"}`;

const STAKED_SINCE = `SELECT ${sumOf("stake")} FROM assertion CROSS JOIN bounty USING (market, guid)
   WHERE planned_at >= ? AND state <> 'abandoned'`;

const PROFIT_SINCE = `SELECT ${["payout", "stake", "fee"].map(sumOf).join(", ")} FROM assertion
   WHERE settled_at >= ? AND payout IS NOT NULL`;

/** Every query of this file, for a look at how SQLite goes about them. */
export const MONEY_QUERIES: readonly string[] = [
  stakedInStates(PROMISED_STATES),
  stakedInStates(STAKED_STATES, "side"),
  STAKED_SINCE,
  PROFIT_SINCE,
];

/** Our stakes on bounties in these states, on one market or on all. */
export function stakedIn(db: DatabaseSync, states: readonly BountyState[], market?: MarketId): Nct {
  const markets = market === undefined ? [] : [market];
  return nct(ask<"stake">(db, stakedInStates(states, market), ...states, ...markets).stake);
}

/** Stakes planned at or after an instant, unless nothing was posted after all. */
export const stakedSince = (db: DatabaseSync, since: Instant): Nct =>
  nct(ask<"stake">(db, STAKED_SINCE, since).stake);

/** Payouts less stakes and fees of what was settled at or after an instant; negative when more was lost than won. */
export function profitSince(db: DatabaseSync, since: Instant): Nct {
  const { payout, stake, fee } = ask<"payout" | "stake" | "fee">(db, PROFIT_SINCE, since);
  return nct(payout - stake - fee);
}

function ask<Column extends string>(
  db: DatabaseSync,
  sql: string,
  ...values: (string | number)[]
): Readonly<Record<Column, bigint>> {
  const row = db.prepare(sql).get(...values) as Readonly<Record<Column, string>>;
  const sums = Object.entries<string>(row).map(([column, sum]) => [column, BigInt(sum)]);
  return Object.fromEntries(sums) as Readonly<Record<Column, bigint>>;
}
