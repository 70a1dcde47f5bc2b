import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Bounty } from "../domain/bounty.ts";
import type { BlockNumber, ChainName, Clock, Instant } from "../domain/chain.ts";
import { Fault } from "../domain/fault.ts";
import type { Guid } from "../domain/guid.ts";
import {
  type AbandonReason,
  type BountyState,
  mayMove,
  PROMISED_STATES,
  STAKED_STATES,
} from "../domain/lifecycle.ts";
import type { Nct } from "../domain/nct.ts";
import type { Opinion } from "../domain/opinion.ts";
import type { ScanAnswer } from "../domain/scan.ts";
import type { SettledArtifact } from "../domain/settled.ts";
import type { SignedTransaction } from "../domain/transaction.ts";
import { stringifyJson } from "../json/json.ts";
import { newestSettled, settledOf } from "./history.ts";
import { profitSince, stakedIn, stakedSince } from "./money.ts";
import { openLedgerFile } from "./open.ts";
import {
  type AssertionRecord,
  type BountyKey,
  type BountyRecord,
  type DutyAction,
  FIRST_ENTRY,
  type JournalEntry,
  type LedgerSummary,
  type PlannedAssertion,
} from "./records.ts";
import { type AssertionRow, BOUNTY_COLUMNS, type BountyRow, readAssertion, readBounty } from "./rows.ts";
import { summarize } from "./summary.ts";

/**
 * The truth of the producer: what was seen, promised and paid. SQLite, synchronous; every method that changes something
 * is durable when it returns. Throws Fault LEDGER_STATE when a bounty is asked to move where its life cycle does not
 * lead, ANSWERED_ALREADY when a second, different assertion is planned for a bounty.
 */
export class Ledger implements Disposable {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  /** Writes down a bounty heard of. False when it was known already. */
  see(bounty: Bounty): boolean {
    const now = this.#clock.now();
    const done = this.#run(
      `INSERT INTO bounty (chain, guid, kind, author, amount, uri, artifact_count, expiration, claims, state, seen_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'seen', ?, ?) ON CONFLICT DO NOTHING`,
      bounty.chain,
      bounty.guid,
      bounty.kind,
      bounty.author,
      bounty.amount.toString(),
      bounty.uri,
      bounty.artifactCount,
      bounty.expiration,
      stringifyJson(bounty.claims),
      now,
      now,
    );
    return done > 0;
  }

  find(key: BountyKey): BountyRecord | undefined {
    const row = this.#get<BountyRow>(
      `SELECT ${BOUNTY_COLUMNS} FROM bounty WHERE chain = ? AND guid = ?`,
      key.chain,
      key.guid,
    );
    return row && readBounty(row);
  }

  /** Every bounty of the chain in one of these states, oldest first. */
  inStates(chain: ChainName, states: readonly BountyState[]): readonly BountyRecord[] {
    const marks = states.map(() => "?").join(", ");
    const rows = this.#all<BountyRow>(
      // The plus leaves SQLite the index of states alone: by chain it would walk the whole ledger.
      `SELECT ${BOUNTY_COLUMNS} FROM bounty WHERE +chain = ? AND state IN (${marks}) ORDER BY seen_at, guid`,
      chain,
      ...states,
    );
    return rows.map(readBounty);
  }

  /** The bounties of the chain in one of these states whose assertion's metadata is stored with the market. */
  publishedIn(chain: ChainName, states: readonly BountyState[]): ReadonlySet<Guid> {
    const marks = states.map(() => "?").join(", ");
    const rows = this.#all<{ guid: Guid }>(
      `SELECT guid FROM assertion JOIN bounty USING (chain, guid)
       WHERE chain = ? AND state IN (${marks}) AND metadata_uri IS NOT NULL`,
      chain,
      ...states,
    );
    return new Set(rows.map(({ guid }) => guid));
  }

  /** Moves a bounty along its life cycle. Staying in place is fine. */
  advance(key: BountyKey, to: BountyState): void {
    const row = this.#get<{ state: BountyState }>(
      "SELECT state FROM bounty WHERE chain = ? AND guid = ?",
      key.chain,
      key.guid,
    );
    const from = row?.state;
    if (from === undefined || !mayMove(from, to)) {
      throw new Fault("LEDGER_STATE", `Bounty ${key.guid} cannot go from ${from ?? "nowhere"} to ${to}.`);
    }
    this.#run(
      "UPDATE bounty SET state = ?, updated_at = ? WHERE chain = ? AND guid = ?",
      to,
      this.#clock.now(),
      key.chain,
      key.guid,
    );
  }

  /** Ends a bounty on which no stake was placed. */
  abandon(key: BountyKey, reason: AbandonReason): void {
    this.#atomically(() => {
      this.advance(key, "abandoned");
      this.#run("UPDATE bounty SET reason = ? WHERE chain = ? AND guid = ?", reason, key.chain, key.guid);
    });
  }

  /**
   * An abandoned bounty that carries an assertion of ours on the market after all is begun again. What was planned, or
   * signed to post it, is dropped: another answer of ours stands there. Anything but an abandoned bounty stays as it is.
   */
  reopen(key: BountyKey): void {
    this.#atomically(() => {
      const reopened = this.#run(
        "UPDATE bounty SET state = 'seen', reason = NULL, updated_at = ? WHERE chain = ? AND guid = ? AND state = 'abandoned'",
        this.#clock.now(),
        key.chain,
        key.guid,
      );
      if (reopened === 0) return;
      this.#run("DELETE FROM assertion WHERE chain = ? AND guid = ?", key.chain, key.guid);
      this.#run("DELETE FROM signed_transaction WHERE chain = ? AND guid = ?", key.chain, key.guid);
    });
  }

  /** Notes, per artifact in index order, what triage said ("scan" or the reason of a skip). */
  recordTriage(key: BountyKey, decisions: readonly string[]): void {
    this.#atomically(() => {
      for (const [position, decision] of decisions.entries()) {
        this.#run(
          `INSERT INTO artifact (chain, guid, position, triage) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET triage = excluded.triage`,
          key.chain,
          key.guid,
          position,
          decision,
        );
      }
      this.advance(key, "triaged");
    });
  }

  /** Keeps what backends said and what was made of it; both lists are in artifact order. */
  recordOpinions(
    key: BountyKey,
    opinions: readonly (Opinion | null)[],
    answers: readonly ScanAnswer[],
  ): void {
    this.#atomically(() => {
      for (const answer of answers) this.#keepAnswer(key, answer);
      for (const [position, opinion] of opinions.entries()) {
        if (opinion === null) continue;
        this.#run(
          `UPDATE artifact SET verdict = ?, confidence_ppm = ?, probability_ppm = ?, low_ppm = ?, high_ppm = ?,
             family = ?, reason = ? WHERE chain = ? AND guid = ? AND position = ?`,
          opinion.verdict,
          opinion.confidence,
          opinion.probability,
          opinion.interval[0],
          opinion.interval[1],
          opinion.family,
          opinion.reason,
          key.chain,
          key.guid,
          position,
        );
      }
      this.advance(key, "distilled");
    });
  }

  /** Fixes the assertion before anything is sent. The same plan twice is fine, a different one is refused. */
  planAssertion(key: BountyKey, plan: PlannedAssertion): void {
    const known = this.assertion(key);
    if (known !== undefined) {
      if (known.commitment === plan.commitment && known.mask === plan.mask) return;
      throw new Fault("ANSWERED_ALREADY", `Bounty ${key.guid} has another answer of ours in the ledger.`);
    }
    this.#atomically(() => {
      this.#run(
        `INSERT INTO assertion (chain, guid, commitment, nonce, mask, verdicts, bids, stake, fee, metadata, planned_at,
           confidences)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        key.chain,
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
      this.advance(key, "planned");
    });
  }

  assertion(key: BountyKey): AssertionRecord | undefined {
    const row = this.#get<AssertionRow>(
      "SELECT * FROM assertion WHERE chain = ? AND guid = ?",
      key.chain,
      key.guid,
    );
    return row && readAssertion(row);
  }

  /** Whether anything was ever planned on this chain. */
  hasAsserted(chain: ChainName): boolean {
    return this.#get("SELECT 1 FROM assertion WHERE chain = ? LIMIT 1", chain) !== undefined;
  }

  /**
   * Remembers what was signed for a duty, in the order of the nonces, and moves the bounty to the state in which it may
   * be on its way. The last transaction decides; those before it do nothing by themselves. The same bytes signed again for
   * another bounty, an approval on a chain that began anew for one, are the newest entry of the journal.
   */
  recordSigned(key: BountyKey, action: DutyAction, signed: readonly SignedTransaction[]): void {
    const under = { assert: "posting", reveal: "revealing", settle: "settling" } as const;
    this.#atomically(() => {
      const attempt = this.#attempts(key, action) + 1;
      for (const [position, { hash, nonce, raw }] of signed.entries()) {
        this.#run(
          `INSERT INTO signed_transaction (hash, chain, guid, action, signed_at, decides, nonce, raw, attempt)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET attempt = excluded.attempt, signed_at = excluded.signed_at,
             rowid = CASE WHEN guid = excluded.guid THEN signed_transaction.rowid
               ELSE (SELECT max(rowid) + 1 FROM signed_transaction) END`,
          hash,
          key.chain,
          key.guid,
          action,
          this.#clock.now(),
          position === signed.length - 1 ? 1 : 0,
          nonce.toString(),
          raw,
          attempt,
        );
      }
      this.advance(key, under[action]);
    });
  }

  /** The deciding hash of each time something was signed for a duty, the oldest first. */
  signed(key: BountyKey, action: DutyAction): readonly string[] {
    const rows = this.#all<{ hash: string }>(
      `SELECT hash FROM signed_transaction WHERE chain = ? AND guid = ? AND action = ? AND decides = 1
       ORDER BY rowid`,
      key.chain,
      key.guid,
      action,
    );
    return rows.map((row) => row.hash);
  }

  /** What was signed for a duty the last time, in the order of the nonces; empty when nothing was. */
  lastSigned(key: BountyKey, action: DutyAction): readonly SignedTransaction[] {
    const rows = this.#all<{ hash: string; nonce: string; raw: string }>(
      `SELECT hash, nonce, raw FROM signed_transaction WHERE chain = ? AND guid = ? AND action = ? AND attempt = ?
       ORDER BY length(nonce), nonce`,
      key.chain,
      key.guid,
      action,
      this.#attempts(key, action),
    );
    return rows.map(({ hash, nonce, raw }) => ({ hash, nonce: BigInt(nonce), raw }));
  }

  /**
   * The smallest account nonce of everything that was signed for a duty, each time that it was; undefined when nothing
   * was, or when not all nonces are known.
   */
  firstNonce(key: BountyKey, action: DutyAction): bigint | undefined {
    const rows = this.#all<{ nonce: string; raw: string }>(
      "SELECT nonce, raw FROM signed_transaction WHERE chain = ? AND guid = ? AND action = ?",
      key.chain,
      key.guid,
      action,
    );
    if (rows.length === 0 || rows.some(({ raw }) => raw === "")) return undefined;
    return rows.map(({ nonce }) => BigInt(nonce)).reduce((least, nonce) => (nonce < least ? nonce : least));
  }

  /**
   * The highest account nonce that a block of the chain certainly holds, as far as the ledger knows: of what was signed
   * for a step that the bounty has left behind. Where a step was signed several times the lowest counts. A reveal may be
   * tried for a post that nobody has seen (reveal/places.ts), so it proves a post only with the place of the assertion.
   */
  minedNonce(chain: ChainName, after: JournalEntry = FIRST_ENTRY): bigint | undefined {
    const row = this.#get<{ nonce: string | null }>(
      `SELECT max(nonce) AS nonce FROM (
         SELECT min(CAST(nonce AS INTEGER)) AS nonce FROM signed_transaction JOIN bounty USING (chain, guid)
         WHERE chain = ? AND raw <> '' AND signed_transaction.rowid > ? AND (state, action) IN (VALUES
           ('asserted', 'assert'), ('revealing', 'assert'), ('revealed', 'assert'), ('settling', 'assert'),
           ('revealed', 'reveal'), ('settled', 'assert'), ('settled', 'settle'))
           AND (state NOT IN ('revealing', 'settling') OR EXISTS (SELECT 1 FROM assertion AS it
             WHERE it.chain = bounty.chain AND it.guid = bounty.guid AND it.position IS NOT NULL))
         GROUP BY guid, action)`,
      chain,
      after,
    );
    return row === undefined || row.nonce === null ? undefined : BigInt(row.nonce);
  }

  /** Ends every bounty of the chain that is not settled, for one reason; returns how many that were. */
  writeOff(chain: ChainName, reason: AbandonReason): number {
    return this.#run(
      `UPDATE bounty SET state = 'abandoned', reason = ?, updated_at = ?
       WHERE chain = ? AND state NOT IN ('settled', 'abandoned')`,
      reason,
      this.#clock.now(),
      chain,
    );
  }

  /** Bounties with an assertion of ours that were written off for a reason, those that expire last first; at most so many. */
  writtenOff(chain: ChainName, reason: AbandonReason, most: number): readonly Guid[] {
    const rows = this.#all<{ guid: Guid }>(
      `SELECT guid FROM bounty JOIN assertion USING (chain, guid)
       WHERE chain = ? AND state = 'abandoned' AND reason = ? ORDER BY expiration DESC LIMIT ?`,
      chain,
      reason,
      most,
    );
    return rows.map(({ guid }) => guid);
  }

  /**
   * Undoes `writeOff` where something may be staked: such a bounty is called what was signed for it last, fate unknown, or
   * asserted where the place of the assertion is known. Returns how many that were.
   */
  takeBack(chain: ChainName, reason: AbandonReason): number {
    const isSigned = `EXISTS (SELECT 1 FROM signed_transaction AS it
       WHERE it.chain = bounty.chain AND it.guid = bounty.guid AND it.action`;
    const isPlaced = `EXISTS (SELECT 1 FROM assertion AS it
       WHERE it.chain = bounty.chain AND it.guid = bounty.guid AND it.position IS NOT NULL)`;
    return this.#run(
      `UPDATE bounty SET reason = NULL, updated_at = ?, state = CASE
         WHEN ${isSigned} = 'settle') THEN 'settling' WHEN ${isSigned} = 'reveal') THEN 'revealing'
         WHEN ${isPlaced} THEN 'asserted' ELSE 'posting' END
       WHERE chain = ? AND state = 'abandoned' AND reason = ? AND (${isPlaced} OR ${isSigned} = 'assert'))`,
      this.#clock.now(),
      chain,
      reason,
    );
  }

  /** The reveal that was signed last for each bounty whose reveal may still be on its way, in the order of the nonces. */
  signedReveals(chain: ChainName): readonly SignedTransaction[] {
    const rows = this.#all<{ hash: string; nonce: string; raw: string }>(
      `SELECT hash, nonce, raw, max(attempt) FROM signed_transaction JOIN bounty USING (chain, guid)
       WHERE +chain = ? AND state = 'revealing' AND action = 'reveal' AND raw <> '' GROUP BY guid`,
      chain,
    );
    return rows.map(({ hash, nonce, raw }) => ({ hash, nonce: BigInt(nonce), raw })).toSorted(byNonce);
  }

  /**
   * What was signed last for each bounty whose transactions may still be on their way, from an account nonce on; an entry
   * for each bounty. A nonce that was given back and used again belongs to the one that was signed later.
   */
  signedFrom(chain: ChainName, nonce: bigint): readonly (readonly SignedTransaction[])[] {
    const rows = this.#all<{ guid: string; attempt: number; hash: string; nonce: string; raw: string }>(
      `SELECT guid, attempt, hash, nonce, raw FROM signed_transaction JOIN bounty USING (chain, guid)
       WHERE chain = ? AND state IN ('posting', 'revealing', 'settling') AND raw <> '' AND CAST(nonce AS INTEGER) >= ?
         AND (state, action) IN (VALUES ('posting', 'assert'), ('revealing', 'reveal'), ('settling', 'settle'))
       ORDER BY signed_at, signed_transaction.rowid`,
      chain,
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

  /** The newest entry of the journal of what was signed, whatever chain it is for. */
  newestEntry(): JournalEntry {
    const row = this.#get<{ newest: number | null }>("SELECT max(rowid) AS newest FROM signed_transaction");
    return row?.newest ?? FIRST_ENTRY;
  }

  /** The highest account nonce among the last things signed on a chain after an entry, or undefined when nothing was. */
  newestNonce(chain: ChainName, after: JournalEntry = FIRST_ENTRY): bigint | undefined {
    const row = this.#get<{ nonce: number | null }>(
      `SELECT max(CAST(nonce AS INTEGER)) AS nonce FROM
         (SELECT nonce FROM signed_transaction WHERE chain = ? AND raw <> '' AND rowid > ?
          ORDER BY rowid DESC LIMIT 100)`,
      chain,
      after,
    );
    return row === undefined || row.nonce === null ? undefined : BigInt(row.nonce);
  }

  /**
   * What was signed last with each account nonce from one on, in their order and without a break, whatever became of its
   * bounty; at most so many, and only what was signed after an entry. Empty when nothing was signed with the first.
   */
  signedByNonce(
    chain: ChainName,
    from: bigint,
    most: number,
    after: JournalEntry = FIRST_ENTRY,
  ): readonly SignedTransaction[] {
    const rows = this.#all<{ hash: string; nonce: string; raw: string }>(
      `SELECT hash, nonce, raw FROM signed_transaction
       WHERE chain = ? AND raw <> '' AND CAST(nonce AS INTEGER) BETWEEN ? AND ? AND rowid > ?
       ORDER BY signed_at, rowid`,
      chain,
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

  /** The fee that was approved, when it is not the planned one any more. */
  recordFee(key: BountyKey, fee: Nct): void {
    this.#run(
      "UPDATE assertion SET fee = ? WHERE chain = ? AND guid = ?",
      fee.toString(),
      key.chain,
      key.guid,
    );
  }

  recordRequested(key: BountyKey, ms: number): void {
    this.#run(
      "UPDATE assertion SET requested_ms = ? WHERE chain = ? AND guid = ? AND requested_ms IS NULL",
      Math.round(ms),
      key.chain,
      key.guid,
    );
  }

  recordAsserted(key: BountyKey, index: number): void {
    this.#atomically(() => {
      this.recordIndex(key, index);
      this.advance(key, "asserted");
    });
  }

  /** Where our assertion stands, whatever state it is in. */
  recordIndex(key: BountyKey, index: number): void {
    this.#run("UPDATE assertion SET position = ? WHERE chain = ? AND guid = ?", index, key.chain, key.guid);
  }

  recordMetadataUri(key: BountyKey, uri: string): void {
    this.#run("UPDATE assertion SET metadata_uri = ? WHERE chain = ? AND guid = ?", uri, key.chain, key.guid);
  }

  /** Also when it had been written off. */
  recordRevealed(key: BountyKey): void {
    this.#atomically(() => {
      this.#run("UPDATE bounty SET reveal_missed = 0 WHERE chain = ? AND guid = ?", key.chain, key.guid);
      this.advance(key, "revealed");
    });
  }

  recordRevealMissed(key: BountyKey): void {
    this.#run("UPDATE bounty SET reveal_missed = 1 WHERE chain = ? AND guid = ?", key.chain, key.guid);
  }

  /** It turned out to expire in another block. */
  recordExpiration(key: BountyKey, expiration: BlockNumber): void {
    this.#run(
      "UPDATE bounty SET expiration = ? WHERE chain = ? AND guid = ?",
      expiration,
      key.chain,
      key.guid,
    );
  }

  recordQuorum(key: BountyKey): void {
    this.#run("UPDATE bounty SET quorum = 1 WHERE chain = ? AND guid = ?", key.chain, key.guid);
  }

  recordSettled(key: BountyKey, payout: Nct | null): void {
    this.#atomically(() => {
      this.#run(
        "UPDATE assertion SET payout = ?, settled_at = coalesce(settled_at, ?) WHERE chain = ? AND guid = ?",
        payout === null ? null : payout.toString(),
        this.#clock.now(),
        key.chain,
        key.guid,
      );
      this.advance(key, "settled");
    });
  }

  /** What the arbiters decided, per artifact in index order (`true` is malicious). */
  recordTruth(key: BountyKey, truth: readonly boolean[]): void {
    this.#atomically(() => {
      for (const [position, malicious] of truth.entries()) {
        this.#run(
          "UPDATE artifact SET truth = ? WHERE chain = ? AND guid = ? AND position = ?",
          malicious ? 1 : 0,
          key.chain,
          key.guid,
          position,
        );
      }
    });
  }

  /** A value pinned on first use (a contract's address, the chain id), or undefined. */
  pin(chain: ChainName, name: string): string | undefined {
    return this.#get<{ value: string }>("SELECT value FROM pin WHERE chain = ? AND name = ?", chain, name)
      ?.value;
  }

  /** Pins a value for good; a value pinned before stays. */
  setPin(chain: ChainName, name: string, value: string): void {
    this.#run(
      "INSERT INTO pin (chain, name, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      chain,
      name,
      value,
    );
  }

  /** Pins another value than before, or none; for when nothing is owed under the old one. */
  replacePin(chain: ChainName, name: string, value: string | undefined): void {
    this.#atomically(() => {
      this.#run("DELETE FROM pin WHERE chain = ? AND name = ?", chain, name);
      if (value !== undefined) this.setPin(chain, name, value);
    });
  }

  /** What was noted last under this name, or undefined. */
  note(chain: ChainName, name: string): string | undefined {
    return this.#get<{ value: string }>("SELECT value FROM note WHERE chain = ? AND name = ?", chain, name)
      ?.value;
  }

  /** Notes something that the market told and does not repeat; undefined takes the note away. */
  setNote(chain: ChainName, name: string, value: string | undefined): void {
    if (value === undefined) this.#run("DELETE FROM note WHERE chain = ? AND name = ?", chain, name);
    else {
      this.#run(
        "INSERT INTO note (chain, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        chain,
        name,
        value,
      );
    }
  }

  /** Our stakes that may be in escrow, in base units. */
  atRisk(chain: ChainName): Nct {
    return stakedIn(this.#db, STAKED_STATES, chain);
  }

  /**
   * What counts towards the limit at risk: stakes from the moment they are planned until they are settled, on one chain or
   * on all.
   */
  committed(chain?: ChainName): Nct {
    return stakedIn(this.#db, PROMISED_STATES, chain);
  }

  /** Stakes planned at or after an instant, on all chains, less those of which nothing came onto the market. */
  stakedSince(since: Instant): Nct {
    return stakedSince(this.#db, since);
  }

  /**
   * Payouts less stakes and fees of what was settled at or after an instant, on all chains; may be negative. Settlements
   * whose payout nobody knows are left out.
   */
  profitSince(since: Instant): Nct {
    return profitSince(this.#db, since);
  }

  /** Milliseconds from hearing of a bounty to asking for its assertion, of every assertion, in order of planning. */
  requestTimes(): readonly number[] {
    const rows = this.#all<{ ms: number }>(
      "SELECT requested_ms AS ms FROM assertion WHERE requested_ms IS NOT NULL ORDER BY planned_at",
    );
    return rows.map((row) => row.ms);
  }

  /** The newest artifacts on which the arbiters decided, at most so many, newest bounty first. */
  newestSettled(most: number): readonly SettledArtifact[] {
    return newestSettled(this.#db, most);
  }

  /** The artifacts of one bounty on which the arbiters decided. */
  settledOf(key: BountyKey): readonly SettledArtifact[] {
    return settledOf(this.#db, key);
  }

  /** Totals over everything; reads every assertion. */
  summary(): LedgerSummary {
    return summarize(this.#db);
  }

  /** Makes several changes as one: after a crash all of them are there, or none. */
  together(changes: () => void): void {
    this.#atomically(changes);
  }

  #attempts(key: BountyKey, action: DutyAction): number {
    const row = this.#get<{ attempt: number | null }>(
      "SELECT max(attempt) AS attempt FROM signed_transaction WHERE chain = ? AND guid = ? AND action = ?",
      key.chain,
      key.guid,
      action,
    );
    return row?.attempt ?? 0;
  }

  #keepAnswer(key: BountyKey, answer: ScanAnswer): void {
    this.#run(
      `INSERT INTO answer (chain, guid, position, backend, verdict, confidence, reason, body, answered_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      key.chain,
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

  #atomically(work: () => void): void {
    if (this.#db.isTransaction) {
      work();
      return;
    }
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      // A full disk may have ended it already.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  #get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  #all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }
}

const byNonce = (a: SignedTransaction, b: SignedTransaction): number => (a.nonce < b.nonce ? -1 : 1);

/** Opens (or makes) the ledger in a file; ":memory:" for one that is gone with the process. */
export const openLedger = (file: string, clock: Clock): Ledger => new Ledger(openLedgerFile(file), clock);
