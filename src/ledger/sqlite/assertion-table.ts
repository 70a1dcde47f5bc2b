import type { MarketId } from "../../domain/bounty.ts";
import { Fault } from "../../domain/fault.ts";
import type { Clock } from "../../domain/instant.ts";
import type { Nct } from "../../domain/nct.ts";
import { stringifyJson } from "../../json/json.ts";
import type { AssertionRecord, BountyKey, PlannedAssertion } from "../records.ts";
import type { BountyTable } from "./bounty-table.ts";
import type { LedgerDatabase } from "./database.ts";
import { type AssertionRow, readAssertionRow } from "./rows.ts";

/** Our assertions, from the plan to the payout. What the methods promise is in `Ledger`. */
export class AssertionTable {
  readonly #db: LedgerDatabase;
  readonly #bounties: BountyTable;
  readonly #clock: Clock;

  constructor(db: LedgerDatabase, bounties: BountyTable, clock: Clock) {
    this.#db = db;
    this.#bounties = bounties;
    this.#clock = clock;
  }

  planAssertion(key: BountyKey, plan: PlannedAssertion): void {
    const known = this.assertion(key);
    if (known !== undefined) {
      if (known.commitment === plan.commitment && known.mask === plan.mask) return;
      throw new Fault("ANSWERED_ALREADY", `Bounty ${key.guid} has another answer of ours in the ledger.`);
    }
    this.#db.atomically(() => {
      this.#db.run(
        `INSERT INTO assertion (market, guid, commitment, nonce, mask, verdicts, bids, stake, fee, metadata, planned_at,
           confidences)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        key.market,
        key.guid,
        plan.commitment.toString(),
        plan.nonce.toString(),
        plan.mask.toString(),
        plan.verdicts.toString(),
        JSON.stringify(plan.bids.map(String)),
        plan.stake.toString(),
        plan.fee.toString(),
        stringifyJson(plan.metadata),
        plan.plannedAt,
        plan.confidences === undefined ? null : JSON.stringify(plan.confidences),
      );
      this.#bounties.advance(key, "planned");
    });
  }

  assertion(key: BountyKey): AssertionRecord | undefined {
    const row = this.#db.get<AssertionRow>(
      "SELECT * FROM assertion WHERE market = ? AND guid = ?",
      key.market,
      key.guid,
    );
    return row && readAssertionRow(row);
  }

  hasAsserted(market: MarketId): boolean {
    return this.#db.get("SELECT 1 FROM assertion WHERE market = ? LIMIT 1", market) !== undefined;
  }

  requestTimes(): readonly number[] {
    const rows = this.#db.all<{ ms: number }>(
      "SELECT requested_ms AS ms FROM assertion WHERE requested_ms IS NOT NULL ORDER BY planned_at",
    );
    return rows.map((row) => row.ms);
  }

  recordFee(key: BountyKey, fee: Nct): void {
    this.#db.run(
      "UPDATE assertion SET fee = ? WHERE market = ? AND guid = ?",
      fee.toString(),
      key.market,
      key.guid,
    );
  }

  recordRequested(key: BountyKey, ms: number): void {
    this.#db.run(
      "UPDATE assertion SET requested_ms = ? WHERE market = ? AND guid = ? AND requested_ms IS NULL",
      Math.round(ms),
      key.market,
      key.guid,
    );
  }

  recordAsserted(key: BountyKey, index: number): void {
    this.#db.atomically(() => {
      this.recordIndex(key, index);
      this.#bounties.advance(key, "asserted");
    });
  }

  recordIndex(key: BountyKey, index: number): void {
    this.#db.run(
      "UPDATE assertion SET position = ? WHERE market = ? AND guid = ?",
      index,
      key.market,
      key.guid,
    );
  }

  recordMetadataUri(key: BountyKey, uri: string): void {
    this.#db.run(
      "UPDATE assertion SET metadata_uri = ? WHERE market = ? AND guid = ?",
      uri,
      key.market,
      key.guid,
    );
  }

  recordSettled(key: BountyKey, payout: Nct | null): void {
    this.#db.atomically(() => {
      this.#db.run(
        "UPDATE assertion SET payout = ?, settled_at = coalesce(settled_at, ?) WHERE market = ? AND guid = ?",
        payout === null ? null : payout.toString(),
        this.#clock.now(),
        key.market,
        key.guid,
      );
      this.#bounties.advance(key, "settled");
    });
  }
}
