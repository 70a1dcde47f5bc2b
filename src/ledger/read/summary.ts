import type { DatabaseSync } from "node:sqlite";
import { hasBit } from "../../domain/bits.ts";
import { type BountyState, STAKED_STATES } from "../../domain/lifecycle.ts";
import { nct } from "../../domain/nct.ts";
import type { LedgerSummary } from "../records.ts";

/** An assertion that is, or may be, on the market, with what the arbiters decided of its artifacts. */
interface PostedRow {
  readonly state: BountyState;
  readonly position: number | null;
  readonly reveal_missed: number;
  readonly mask: string;
  readonly verdicts: string;
  readonly stake: string;
  readonly fee: string;
  readonly payout: string | null;
  /** JSON: [[position, truth], ...] of the artifacts whose truth is known. */
  readonly truths: string;
}

const POSTED = `
  SELECT state, position, reveal_missed, mask, verdicts, stake, fee, payout,
    (SELECT json_group_array(json_array(artifact.position, artifact.truth)) FROM artifact
      WHERE artifact.market = assertion.market AND artifact.guid = assertion.guid AND truth IS NOT NULL) AS truths
  FROM assertion JOIN bounty USING (market, guid) WHERE state <> 'abandoned'`;

const REVEALED: readonly BountyState[] = ["revealed", "settling", "settled"];

/** Adds up the whole ledger. Reads every assertion: for reports, not for every scrape. */
export function summarizeLedger(db: DatabaseSync): LedgerSummary {
  const states = db.prepare("SELECT state, count(*) AS n FROM bounty GROUP BY state").all() as {
    state: BountyState;
    n: number;
  }[];
  const rows = db.prepare(POSTED).all() as unknown as PostedRow[];
  const posted = rows.filter((row) => row.position !== null);
  const settled = posted.filter((row) => row.state === "settled");
  const paid = settled.flatMap((row) =>
    row.payout === null ? [] : [BigInt(row.payout) - BigInt(row.stake) - BigInt(row.fee)],
  );
  const counts = posted.map(rightAndWrong);
  const staked = (some: readonly PostedRow[]) => nct(sum(some.map((row) => BigInt(row.stake))));
  return {
    bounties: states.reduce((total, row) => total + row.n, 0),
    byState: Object.fromEntries(states.map((row) => [row.state, row.n])),
    asserted: posted.length,
    revealed: posted.filter((row) => row.reveal_missed === 0 && REVEALED.includes(row.state)).length,
    settled: settled.length,
    staked: staked(posted),
    atRisk: staked(rows.filter((row) => (STAKED_STATES as readonly BountyState[]).includes(row.state))),
    profit: nct(sum(paid)),
    revealsMissed: posted.filter((row) => row.reveal_missed !== 0).length,
    right: counts.reduce((total, { right }) => total + right, 0),
    wrong: counts.reduce((total, { wrong }) => total + wrong, 0),
  };
}

function rightAndWrong(row: PostedRow): { right: number; wrong: number } {
  const [mask, verdicts] = [BigInt(row.mask), BigInt(row.verdicts)];
  const truths = (JSON.parse(row.truths) as [number, number][]).filter(([index]) => hasBit(mask, index));
  const right = truths.filter(([index, malicious]) => hasBit(verdicts, index) === (malicious === 1)).length;
  return { right, wrong: truths.length - right };
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
