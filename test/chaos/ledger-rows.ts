import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Guid } from "../../src/domain/guid.ts";

/**
 * The ledger of a producer in `folder`, read without touching it: a ledger that is opened to be written to is put in
 * order first, and that is what the next producer is to do.
 */
function read<Row>(folder: string, sql: string, ...values: string[]): readonly Row[] {
  const db = new DatabaseSync(join(folder, "data", "ledger.sqlite"), { readOnly: true });
  try {
    return db.prepare(sql).all(...values) as Row[];
  } finally {
    db.close();
  }
}

/** How many bounties are in each state. */
export function statesIn(folder: string): ReadonlyMap<string, number> {
  const sql = "SELECT state, count(*) AS n FROM bounty GROUP BY state";
  return new Map(read<{ state: string; n: number }>(folder, sql).map(({ state, n }) => [state, n]));
}

/** Everything that the ledger has of one bounty, as lines of text. */
export function rowsOf(folder: string, guid: Guid): readonly string[] {
  const tables = {
    bounty: "state, reason, details, quorum, reveal_missed, seen_at, updated_at",
    assertion: "commitment, mask, stake, fee, position, planned_at, payout",
    journal: "step, attempt, decides, sequence, reference, written_at",
  };
  return Object.entries(tables).flatMap(([table, columns]) =>
    read(folder, `SELECT ${columns} FROM ${table} WHERE guid = ? ORDER BY rowid`, guid).map(
      (row) => `${table} ${JSON.stringify(row)}`,
    ),
  );
}
