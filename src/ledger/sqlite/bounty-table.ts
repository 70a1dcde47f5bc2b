import type { Bounty, MarketDetails, MarketId } from "../../domain/bounty.ts";
import { Fault } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import type { Clock } from "../../domain/instant.ts";
import { type AbandonReason, type BountyState, mayMove } from "../../domain/lifecycle.ts";
import { stringifyJson } from "../../json/json.ts";
import type { BountyKey, BountyRecord } from "../records.ts";
import type { LedgerDatabase } from "./database.ts";
import { BOUNTY_COLUMNS, type BountyRow, readBountyRow } from "./rows.ts";
import { FORMER } from "./schema.ts";

/** Bounties and how far we came with each. What the methods promise is in `Ledger`. */
export class BountyTable {
  readonly #db: LedgerDatabase;
  readonly #clock: Clock;

  constructor(db: LedgerDatabase, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  see(bounty: Bounty): boolean {
    const now = this.#clock.now();
    const done = this.#db.run(
      `INSERT INTO bounty (market, guid, kind, author, amount, uri, artifact_count, details, claims, state, seen_at, updated_at,
         ${FORMER.column})
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'seen', ?, ?, ${FORMER.value}) ON CONFLICT DO NOTHING`,
      bounty.market,
      bounty.guid,
      bounty.kind,
      bounty.author,
      bounty.amount.toString(),
      bounty.uri,
      bounty.artifactCount,
      stringifyJson(bounty.details),
      stringifyJson(bounty.claims),
      now,
      now,
    );
    return done > 0;
  }

  find(key: BountyKey): BountyRecord | undefined {
    const row = this.#db.get<BountyRow>(
      `SELECT ${BOUNTY_COLUMNS} FROM bounty WHERE market = ? AND guid = ?`,
      key.market,
      key.guid,
    );
    return row && readBountyRow(row);
  }

  inStates(market: MarketId, states: readonly BountyState[]): readonly BountyRecord[] {
    const marks = states.map(() => "?").join(", ");
    const rows = this.#db.all<BountyRow>(
      // The plus leaves SQLite the index of states alone: by market it would walk the whole ledger.
      `SELECT ${BOUNTY_COLUMNS} FROM bounty WHERE +market = ? AND state IN (${marks}) ORDER BY seen_at, guid`,
      market,
      ...states,
    );
    return rows.map(readBountyRow);
  }

  publishedIn(market: MarketId, states: readonly BountyState[]): ReadonlySet<Guid> {
    const marks = states.map(() => "?").join(", ");
    const rows = this.#db.all<{ guid: Guid }>(
      `SELECT guid FROM assertion JOIN bounty USING (market, guid)
       WHERE market = ? AND state IN (${marks}) AND metadata_uri IS NOT NULL`,
      market,
      ...states,
    );
    return new Set(rows.map(({ guid }) => guid));
  }

  advance(key: BountyKey, to: BountyState): void {
    const row = this.#db.get<{ state: BountyState }>(
      "SELECT state FROM bounty WHERE market = ? AND guid = ?",
      key.market,
      key.guid,
    );
    const from = row?.state;
    if (from === undefined || !mayMove(from, to)) {
      throw new Fault("LEDGER_STATE", `Bounty ${key.guid} cannot go from ${from ?? "nowhere"} to ${to}.`);
    }
    this.#db.run(
      "UPDATE bounty SET state = ?, updated_at = ? WHERE market = ? AND guid = ?",
      to,
      this.#clock.now(),
      key.market,
      key.guid,
    );
  }

  abandon(key: BountyKey, reason: AbandonReason): void {
    this.#db.atomically(() => {
      this.advance(key, "abandoned");
      this.#db.run(
        "UPDATE bounty SET reason = ? WHERE market = ? AND guid = ?",
        reason,
        key.market,
        key.guid,
      );
    });
  }

  reopen(key: BountyKey): void {
    this.#db.atomically(() => {
      const reopened = this.#db.run(
        "UPDATE bounty SET state = 'seen', reason = NULL, updated_at = ? WHERE market = ? AND guid = ? AND state = 'abandoned'",
        this.#clock.now(),
        key.market,
        key.guid,
      );
      if (reopened === 0) return;
      this.#db.run("DELETE FROM assertion WHERE market = ? AND guid = ?", key.market, key.guid);
      this.#db.run("DELETE FROM journal WHERE market = ? AND guid = ?", key.market, key.guid);
    });
  }

  recordRevealed(key: BountyKey): void {
    this.#db.atomically(() => {
      this.#db.run("UPDATE bounty SET reveal_missed = 0 WHERE market = ? AND guid = ?", key.market, key.guid);
      this.advance(key, "revealed");
    });
  }

  recordRevealMissed(key: BountyKey): void {
    this.#db.run("UPDATE bounty SET reveal_missed = 1 WHERE market = ? AND guid = ?", key.market, key.guid);
  }

  recordDetails(key: BountyKey, details: MarketDetails): void {
    this.#db.run(
      "UPDATE bounty SET details = ? WHERE market = ? AND guid = ?",
      stringifyJson(details),
      key.market,
      key.guid,
    );
  }

  recordQuorum(key: BountyKey): void {
    this.#db.run("UPDATE bounty SET quorum = 1 WHERE market = ? AND guid = ?", key.market, key.guid);
  }

  writeOff(market: MarketId, reason: AbandonReason): number {
    return this.#db.run(
      `UPDATE bounty SET state = 'abandoned', reason = ?, updated_at = ?
       WHERE market = ? AND state NOT IN ('settled', 'abandoned')`,
      reason,
      this.#clock.now(),
      market,
    );
  }

  writtenOff(market: MarketId, reason: AbandonReason, most: number): readonly Guid[] {
    const rows = this.#db.all<{ guid: Guid }>(
      `SELECT guid FROM bounty JOIN assertion USING (market, guid)
       WHERE market = ? AND state = 'abandoned' AND reason = ? ORDER BY seen_at DESC, guid LIMIT ?`,
      market,
      reason,
      most,
    );
    return rows.map(({ guid }) => guid);
  }

  takeBack(market: MarketId, reason: AbandonReason): number {
    const isSigned = `EXISTS (SELECT 1 FROM journal AS it
       WHERE it.market = bounty.market AND it.guid = bounty.guid AND it.step`;
    const isPlaced = `EXISTS (SELECT 1 FROM assertion AS it
       WHERE it.market = bounty.market AND it.guid = bounty.guid AND it.position IS NOT NULL)`;
    return this.#db.run(
      `UPDATE bounty SET reason = NULL, updated_at = ?, state = CASE
         WHEN ${isSigned} = 'settle') THEN 'settling' WHEN ${isSigned} = 'reveal') THEN 'revealing'
         WHEN ${isPlaced} THEN 'asserted' ELSE 'posting' END
       WHERE market = ? AND state = 'abandoned' AND reason = ? AND (${isPlaced} OR ${isSigned} = 'assert'))`,
      this.#clock.now(),
      market,
      reason,
    );
  }
}
