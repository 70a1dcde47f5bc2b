import type { MarketId } from "../../domain/bounty.ts";
import type { Clock } from "../../domain/instant.ts";
import {
  type BountyKey,
  FIRST_POSITION,
  type JournalEntry,
  type JournalPosition,
  type Step,
} from "../records.ts";
import type { BountyTable } from "./bounty-table.ts";
import type { LedgerDatabase } from "./database.ts";

/** The journal of all that was signed, byte for byte. What the methods promise is in `Ledger`. */
export class JournalTable {
  readonly #db: LedgerDatabase;
  readonly #bounties: BountyTable;
  readonly #clock: Clock;
  /** When something was signed last, by the journal; undefined until it was asked. */
  #lastAt: number | undefined;

  constructor(db: LedgerDatabase, bounties: BountyTable, clock: Clock) {
    this.#db = db;
    this.#bounties = bounties;
    this.#clock = clock;
  }

  journal(key: BountyKey, step: Step, entries: readonly JournalEntry[]): void {
    const under = { assert: "posting", reveal: "revealing", settle: "settling" } as const;
    this.#db.atomically(() => {
      const attempt = this.#attempts(key, step) + 1;
      const at = this.#nextInstant();
      for (const [position, { reference, sequence, bytes }] of entries.entries()) {
        this.#db.run(
          `INSERT INTO journal (reference, market, guid, step, written_at, decides, sequence, bytes, attempt)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET attempt = excluded.attempt, written_at = excluded.written_at,
             rowid = CASE WHEN guid = excluded.guid THEN journal.rowid
               ELSE (SELECT max(rowid) + 1 FROM journal) END`,
          reference,
          key.market,
          key.guid,
          step,
          at,
          position === entries.length - 1 ? 1 : 0,
          sequence.toString(),
          bytes,
          attempt,
        );
      }
      this.#bounties.advance(key, under[step]);
    });
  }

  references(key: BountyKey, step: Step): readonly string[] {
    const rows = this.#db.all<{ reference: string }>(
      `SELECT reference FROM journal WHERE market = ? AND guid = ? AND step = ? AND decides = 1
       ORDER BY rowid`,
      key.market,
      key.guid,
      step,
    );
    return rows.map((row) => row.reference);
  }

  lastEntries(key: BountyKey, step: Step): readonly JournalEntry[] {
    const rows = this.#db.all<{ reference: string; sequence: string; bytes: string }>(
      `SELECT reference, sequence, bytes FROM journal WHERE market = ? AND guid = ? AND step = ? AND attempt = ?
       ORDER BY length(sequence), sequence`,
      key.market,
      key.guid,
      step,
      this.#attempts(key, step),
    );
    return rows.map(({ reference, sequence, bytes }) => ({ reference, sequence: BigInt(sequence), bytes }));
  }

  firstSequence(key: BountyKey, step: Step): bigint | undefined {
    const rows = this.#db.all<{ sequence: string; bytes: string }>(
      "SELECT sequence, bytes FROM journal WHERE market = ? AND guid = ? AND step = ?",
      key.market,
      key.guid,
      step,
    );
    if (rows.length === 0 || rows.some(({ bytes }) => bytes === "")) return undefined;
    return rows
      .map(({ sequence }) => BigInt(sequence))
      .reduce((least, sequence) => (sequence < least ? sequence : least));
  }

  takenSequence(market: MarketId, after: JournalPosition = FIRST_POSITION): bigint | undefined {
    const row = this.#db.get<{ sequence: string | null }>(
      `SELECT max(sequence) AS sequence FROM (
         SELECT min(CAST(sequence AS INTEGER)) AS sequence FROM journal JOIN bounty USING (market, guid)
         WHERE market = ? AND bytes <> '' AND journal.rowid > ? AND (state, step) IN (VALUES
           ('asserted', 'assert'), ('revealing', 'assert'), ('revealed', 'assert'), ('settling', 'assert'),
           ('revealed', 'reveal'), ('settled', 'assert'), ('settled', 'settle'))
           AND (state NOT IN ('revealing', 'settling') OR EXISTS (SELECT 1 FROM assertion AS it
             WHERE it.market = bounty.market AND it.guid = bounty.guid AND it.position IS NOT NULL))
         GROUP BY guid, step)`,
      market,
      after,
    );
    return row === undefined || row.sequence === null ? undefined : BigInt(row.sequence);
  }

  openEntries(market: MarketId): readonly JournalEntry[] {
    const rows = this.#db.all<{ reference: string; sequence: string; bytes: string }>(
      `SELECT reference, sequence, bytes, max(attempt) FROM journal JOIN bounty USING (market, guid)
       WHERE +market = ? AND state = 'revealing' AND step = 'reveal' AND bytes <> '' GROUP BY guid`,
      market,
    );
    return rows
      .map(({ reference, sequence, bytes }) => ({ reference, sequence: BigInt(sequence), bytes }))
      .toSorted(bySequence);
  }

  entriesFrom(market: MarketId, sequence: bigint): readonly (readonly JournalEntry[])[] {
    const rows = this.#db.all<{
      guid: string;
      attempt: number;
      reference: string;
      sequence: string;
      bytes: string;
    }>(
      `SELECT guid, attempt, reference, sequence, bytes FROM journal JOIN bounty USING (market, guid)
       WHERE market = ? AND state IN ('posting', 'revealing', 'settling') AND bytes <> '' AND CAST(sequence AS INTEGER) >= ?
         AND (state, step) IN (VALUES ('posting', 'assert'), ('revealing', 'reveal'), ('settling', 'settle'))
       ORDER BY written_at, journal.rowid`,
      market,
      sequence,
    );
    const attempts = Map.groupBy(rows, ({ guid }) => guid)
      .values()
      .map((signed) => {
        const last = signed.reduce((most, { attempt }) => Math.max(most, attempt), 0);
        return signed.filter(({ attempt }) => attempt === last);
      });
    const holders = new Map(rows.map((row) => [row.sequence, row.reference]));
    return [...attempts]
      .filter((signed) => signed.every((row) => holders.get(row.sequence) === row.reference))
      .map((signed) =>
        signed
          .map(({ reference, sequence: number, bytes }) => ({ reference, sequence: BigInt(number), bytes }))
          .toSorted(bySequence),
      );
  }

  newestPosition(): JournalPosition {
    const row = this.#db.get<{ newest: number | null }>("SELECT max(rowid) AS newest FROM journal");
    return row?.newest ?? FIRST_POSITION;
  }

  newestSequence(market: MarketId, after: JournalPosition = FIRST_POSITION): bigint | undefined {
    const row = this.#db.get<{ sequence: number | null }>(
      `SELECT max(CAST(sequence AS INTEGER)) AS sequence FROM
         (SELECT sequence FROM journal WHERE market = ? AND bytes <> '' AND rowid > ?
          ORDER BY rowid DESC LIMIT 100)`,
      market,
      after,
    );
    return row === undefined || row.sequence === null ? undefined : BigInt(row.sequence);
  }

  entriesBySequence(
    market: MarketId,
    from: bigint,
    most: number,
    after: JournalPosition = FIRST_POSITION,
  ): readonly JournalEntry[] {
    const rows = this.#db.all<{ reference: string; sequence: string; bytes: string }>(
      `SELECT reference, sequence, bytes FROM journal
       WHERE market = ? AND bytes <> '' AND CAST(sequence AS INTEGER) BETWEEN ? AND ? AND rowid > ?
       ORDER BY written_at, rowid`,
      market,
      from,
      from + BigInt(most) - 1n,
      after,
    );
    const holders = new Map(rows.map((row) => [BigInt(row.sequence), row]));
    const run: JournalEntry[] = [];
    for (let sequence = from; run.length < most; sequence++) {
      const holder = holders.get(sequence);
      if (holder === undefined) break;
      run.push({ reference: holder.reference, sequence, bytes: holder.bytes });
    }
    return run;
  }

  /**
   * Later than everything signed before, also within one millisecond and when the clock was set back: who holds an account sequence
   * is told by it.
   */
  #nextInstant(): number {
    this.#lastAt ??=
      this.#db.get<{ at: number | null }>("SELECT max(written_at) AS at FROM journal")?.at ?? 0;
    this.#lastAt = Math.max(this.#clock.now(), this.#lastAt + 1);
    return this.#lastAt;
  }

  #attempts(key: BountyKey, step: Step): number {
    const row = this.#db.get<{ attempt: number | null }>(
      "SELECT max(attempt) AS attempt FROM journal WHERE market = ? AND guid = ? AND step = ?",
      key.market,
      key.guid,
      step,
    );
    return row?.attempt ?? 0;
  }
}

const bySequence = (a: JournalEntry, b: JournalEntry): number => (a.sequence < b.sequence ? -1 : 1);
