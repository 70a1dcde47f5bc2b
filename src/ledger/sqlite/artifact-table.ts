import type { Clock } from "../../domain/instant.ts";
import type { Opinion } from "../../domain/opinion.ts";
import type { ScanAnswer } from "../../domain/scan.ts";
import { stringifyJson } from "../../json/json.ts";
import type { BountyKey } from "../records.ts";
import type { BountyTable } from "./bounty-table.ts";
import type { LedgerDatabase } from "./database.ts";

/** Artifacts, what backends said of them, and what the arbiters decided. What the methods promise is in `Ledger`. */
export class ArtifactTable {
  readonly #db: LedgerDatabase;
  readonly #bounties: BountyTable;
  readonly #clock: Clock;

  constructor(db: LedgerDatabase, bounties: BountyTable, clock: Clock) {
    this.#db = db;
    this.#bounties = bounties;
    this.#clock = clock;
  }

  recordTriage(key: BountyKey, decisions: readonly string[]): void {
    this.#db.atomically(() => {
      for (const [position, decision] of decisions.entries()) {
        this.#db.run(
          `INSERT INTO artifact (market, guid, position, triage) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET triage = excluded.triage`,
          key.market,
          key.guid,
          position,
          decision,
        );
      }
      this.#bounties.advance(key, "triaged");
    });
  }

  recordOpinions(
    key: BountyKey,
    opinions: readonly (Opinion | null)[],
    answers: readonly ScanAnswer[],
  ): void {
    this.#db.atomically(() => {
      for (const answer of answers) this.#keepAnswer(key, answer);
      for (const [position, opinion] of opinions.entries()) {
        if (opinion === null) continue;
        this.#db.run(
          `UPDATE artifact SET verdict = ?, confidence_ppm = ?, probability_ppm = ?, low_ppm = ?, high_ppm = ?,
             family = ?, reason = ? WHERE market = ? AND guid = ? AND position = ?`,
          opinion.verdict,
          opinion.confidence,
          opinion.probability,
          opinion.interval[0],
          opinion.interval[1],
          opinion.family,
          opinion.reason,
          key.market,
          key.guid,
          position,
        );
      }
      this.#bounties.advance(key, "distilled");
    });
  }

  recordTruth(key: BountyKey, truth: readonly boolean[]): void {
    this.#db.atomically(() => {
      for (const [position, malicious] of truth.entries()) {
        this.#db.run(
          "UPDATE artifact SET truth = ? WHERE market = ? AND guid = ? AND position = ?",
          malicious ? 1 : 0,
          key.market,
          key.guid,
          position,
        );
      }
    });
  }

  #keepAnswer(key: BountyKey, answer: ScanAnswer): void {
    this.#db.run(
      `INSERT INTO answer (market, guid, position, backend, verdict, confidence, reason, body, answered_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      key.market,
      key.guid,
      answer.artifactIndex,
      answer.backend,
      answer.verdict,
      answer.confidence,
      answer.reason ?? null,
      stringifyJson(answer),
      this.#clock.now(),
    );
  }
}
