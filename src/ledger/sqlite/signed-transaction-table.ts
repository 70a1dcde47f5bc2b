import type { MarketId } from "../../domain/bounty.ts";
import type { Clock } from "../../domain/chain.ts";
import type { SignedTransaction } from "../../domain/transaction.ts";
import { type BountyKey, type DutyAction, FIRST_ENTRY, type JournalEntry } from "../records.ts";
import type { BountyTable } from "./bounty-table.ts";
import type { LedgerDatabase } from "./database.ts";

/** The journal of all that was signed, byte for byte. What the methods promise is in `Ledger`. */
export class SignedTransactionTable {
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

  recordSigned(key: BountyKey, action: DutyAction, signed: readonly SignedTransaction[]): void {
    const under = { assert: "posting", reveal: "revealing", settle: "settling" } as const;
    this.#db.atomically(() => {
      const attempt = this.#attempts(key, action) + 1;
      const at = this.#nextInstant();
      for (const [position, { hash, nonce, raw }] of signed.entries()) {
        this.#db.run(
          `INSERT INTO signed_transaction (hash, market, guid, action, signed_at, decides, nonce, raw, attempt)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET attempt = excluded.attempt, signed_at = excluded.signed_at,
             rowid = CASE WHEN guid = excluded.guid THEN signed_transaction.rowid
               ELSE (SELECT max(rowid) + 1 FROM signed_transaction) END`,
          hash,
          key.market,
          key.guid,
          action,
          at,
          position === signed.length - 1 ? 1 : 0,
          nonce.toString(),
          raw,
          attempt,
        );
      }
      this.#bounties.advance(key, under[action]);
    });
  }

  signed(key: BountyKey, action: DutyAction): readonly string[] {
    const rows = this.#db.all<{ hash: string }>(
      `SELECT hash FROM signed_transaction WHERE market = ? AND guid = ? AND action = ? AND decides = 1
       ORDER BY rowid`,
      key.market,
      key.guid,
      action,
    );
    return rows.map((row) => row.hash);
  }

  lastSigned(key: BountyKey, action: DutyAction): readonly SignedTransaction[] {
    const rows = this.#db.all<{ hash: string; nonce: string; raw: string }>(
      `SELECT hash, nonce, raw FROM signed_transaction WHERE market = ? AND guid = ? AND action = ? AND attempt = ?
       ORDER BY length(nonce), nonce`,
      key.market,
      key.guid,
      action,
      this.#attempts(key, action),
    );
    return rows.map(({ hash, nonce, raw }) => ({ hash, nonce: BigInt(nonce), raw }));
  }

  firstNonce(key: BountyKey, action: DutyAction): bigint | undefined {
    const rows = this.#db.all<{ nonce: string; raw: string }>(
      "SELECT nonce, raw FROM signed_transaction WHERE market = ? AND guid = ? AND action = ?",
      key.market,
      key.guid,
      action,
    );
    if (rows.length === 0 || rows.some(({ raw }) => raw === "")) return undefined;
    return rows.map(({ nonce }) => BigInt(nonce)).reduce((least, nonce) => (nonce < least ? nonce : least));
  }

  minedNonce(market: MarketId, after: JournalEntry = FIRST_ENTRY): bigint | undefined {
    const row = this.#db.get<{ nonce: string | null }>(
      `SELECT max(nonce) AS nonce FROM (
         SELECT min(CAST(nonce AS INTEGER)) AS nonce FROM signed_transaction JOIN bounty USING (market, guid)
         WHERE market = ? AND raw <> '' AND signed_transaction.rowid > ? AND (state, action) IN (VALUES
           ('asserted', 'assert'), ('revealing', 'assert'), ('revealed', 'assert'), ('settling', 'assert'),
           ('revealed', 'reveal'), ('settled', 'assert'), ('settled', 'settle'))
           AND (state NOT IN ('revealing', 'settling') OR EXISTS (SELECT 1 FROM assertion AS it
             WHERE it.market = bounty.market AND it.guid = bounty.guid AND it.position IS NOT NULL))
         GROUP BY guid, action)`,
      market,
      after,
    );
    return row === undefined || row.nonce === null ? undefined : BigInt(row.nonce);
  }

  signedReveals(market: MarketId): readonly SignedTransaction[] {
    const rows = this.#db.all<{ hash: string; nonce: string; raw: string }>(
      `SELECT hash, nonce, raw, max(attempt) FROM signed_transaction JOIN bounty USING (market, guid)
       WHERE +market = ? AND state = 'revealing' AND action = 'reveal' AND raw <> '' GROUP BY guid`,
      market,
    );
    return rows.map(({ hash, nonce, raw }) => ({ hash, nonce: BigInt(nonce), raw })).toSorted(byNonce);
  }

  signedFrom(market: MarketId, nonce: bigint): readonly (readonly SignedTransaction[])[] {
    const rows = this.#db.all<{ guid: string; attempt: number; hash: string; nonce: string; raw: string }>(
      `SELECT guid, attempt, hash, nonce, raw FROM signed_transaction JOIN bounty USING (market, guid)
       WHERE market = ? AND state IN ('posting', 'revealing', 'settling') AND raw <> '' AND CAST(nonce AS INTEGER) >= ?
         AND (state, action) IN (VALUES ('posting', 'assert'), ('revealing', 'reveal'), ('settling', 'settle'))
       ORDER BY signed_at, signed_transaction.rowid`,
      market,
      nonce,
    );
    const attempts = Map.groupBy(rows, ({ guid }) => guid)
      .values()
      .map((signed) => {
        const last = signed.reduce((most, { attempt }) => Math.max(most, attempt), 0);
        return signed.filter(({ attempt }) => attempt === last);
      });
    const holders = new Map(rows.map((row) => [row.nonce, row.hash]));
    return [...attempts]
      .filter((signed) => signed.every((row) => holders.get(row.nonce) === row.hash))
      .map((signed) =>
        signed
          .map(({ hash, nonce: number, raw }) => ({ hash, nonce: BigInt(number), raw }))
          .toSorted(byNonce),
      );
  }

  newestEntry(): JournalEntry {
    const row = this.#db.get<{ newest: number | null }>(
      "SELECT max(rowid) AS newest FROM signed_transaction",
    );
    return row?.newest ?? FIRST_ENTRY;
  }

  newestNonce(market: MarketId, after: JournalEntry = FIRST_ENTRY): bigint | undefined {
    const row = this.#db.get<{ nonce: number | null }>(
      `SELECT max(CAST(nonce AS INTEGER)) AS nonce FROM
         (SELECT nonce FROM signed_transaction WHERE market = ? AND raw <> '' AND rowid > ?
          ORDER BY rowid DESC LIMIT 100)`,
      market,
      after,
    );
    return row === undefined || row.nonce === null ? undefined : BigInt(row.nonce);
  }

  signedByNonce(
    market: MarketId,
    from: bigint,
    most: number,
    after: JournalEntry = FIRST_ENTRY,
  ): readonly SignedTransaction[] {
    const rows = this.#db.all<{ hash: string; nonce: string; raw: string }>(
      `SELECT hash, nonce, raw FROM signed_transaction
       WHERE market = ? AND raw <> '' AND CAST(nonce AS INTEGER) BETWEEN ? AND ? AND rowid > ?
       ORDER BY signed_at, rowid`,
      market,
      from,
      from + BigInt(most) - 1n,
      after,
    );
    const holders = new Map(rows.map((row) => [BigInt(row.nonce), row]));
    const run: SignedTransaction[] = [];
    for (let nonce = from; run.length < most; nonce++) {
      const holder = holders.get(nonce);
      if (holder === undefined) break;
      run.push({ hash: holder.hash, nonce, raw: holder.raw });
    }
    return run;
  }

  /**
   * Later than everything signed before, also within one millisecond and when the clock was set back: who holds an account nonce
   * is told by it.
   */
  #nextInstant(): number {
    this.#lastAt ??=
      this.#db.get<{ at: number | null }>("SELECT max(signed_at) AS at FROM signed_transaction")?.at ?? 0;
    this.#lastAt = Math.max(this.#clock.now(), this.#lastAt + 1);
    return this.#lastAt;
  }

  #attempts(key: BountyKey, action: DutyAction): number {
    const row = this.#db.get<{ attempt: number | null }>(
      "SELECT max(attempt) AS attempt FROM signed_transaction WHERE market = ? AND guid = ? AND action = ?",
      key.market,
      key.guid,
      action,
    );
    return row?.attempt ?? 0;
  }
}

const byNonce = (a: SignedTransaction, b: SignedTransaction): number => (a.nonce < b.nonce ? -1 : 1);
