import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { nct } from "../../src/domain/nct.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { MONEY_QUERIES } from "../../src/ledger/read/money.ts";
import type { BountyKey } from "../../src/ledger/records.ts";
import { openLedgerFile } from "../../src/ledger/sqlite/open-file.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { MIGRATIONS } from "../../src/ledger/sqlite/schema.ts";
import { aBounty, aPlan } from "../fixtures/bounties.ts";

let now = 1_000;
const clock = { now: () => instant(now) };

function planned(ledger: Ledger, number: number, stake: bigint, fee = 0n): BountyKey {
  const guid = parseGuid(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`);
  const key = { market: number % 2 === 0 ? "side" : "home", guid } as const;
  ledger.see(aBounty({ ...key }));
  ledger.advance(key, "distilled");
  ledger.planAssertion(key, aPlan({ stake: nct(stake), fee: nct(fee), plannedAt: clock.now() }));
  return key;
}

/** From nothing to the largest word of the contract, however absurd. */
const amount = fc.oneof(
  fc.bigInt({ min: 0n, max: 10n ** 27n }),
  fc.bigInt({ min: 2n ** 63n - 2n, max: 2n ** 63n + 2n }),
  fc.bigInt({ min: 2n ** 255n, max: 2n ** 256n - 1n }),
);

it("sums of money are exact to the base unit, however large and however many", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(amount, amount, amount), { maxLength: 8 }), (rows) => {
      using ledger = openLedger(":memory:", clock);
      let [staked, profit] = [0n, 0n];
      for (const [number, [stake, fee, payout]] of rows.entries()) {
        const key = planned(ledger, number, stake, fee);
        ledger.recordAsserted(key, 0);
        staked += stake;
        if (number % 3 === 0) continue;
        ledger.recordSettled(key, nct(payout));
        profit += payout - stake - fee;
      }
      expect(ledger.stakedSince(clock.now())).toBe(staked);
      expect(ledger.profitSince(clock.now())).toBe(profit);
    }),
    { numRuns: 30 },
  );
});

it("an absurd payout that an earlier version wrote down counts for nothing after an update", () => {
  const folder = mkdtempSync(join(tmpdir(), "ledger-money-"));
  const file = join(folder, "ledger.sqlite");
  const version = MIGRATIONS.findIndex((sql) => sql.includes("length(payout) > 28"));
  const db = new DatabaseSync(file);
  for (const sql of MIGRATIONS.slice(0, version)) db.exec(sql);
  const insert = db.prepare(
    `INSERT INTO assertion (chain, guid, commitment, nonce, mask, verdicts, bids, stake, fee, metadata, planned_at, payout,
       settled_at) VALUES ('side', ?, '1', '1', '1', '1', '[]', '10', '1', '[]', 1, ?, 5)`,
  );
  insert.run("absurd", (2n ** 255n).toString());
  insert.run("true", "4");
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
  using ledger = openLedger(file, clock);
  expect(ledger.profitSince(instant(0))).toBe(-7n);
  rmSync(folder, { recursive: true });
});

it("a look back takes what was done at or after its beginning, and what a clock set back put into the future", () => {
  using ledger = openLedger(":memory:", clock);
  for (const [number, at] of [1_000, 2_000, 900_000].entries()) {
    now = at;
    const key = planned(ledger, number, 10n, 1n);
    if (number > 0) ledger.recordAsserted(key, 0);
    if (number > 0) ledger.recordSettled(key, nct(4n));
  }
  now = 3_000;
  expect(ledger.stakedSince(instant(2_000))).toBe(20n);
  expect(ledger.stakedSince(instant(2_001))).toBe(10n);
  expect(ledger.profitSince(instant(2_000))).toBe(-14n);
  expect(ledger.committed()).toBe(10n);
});

it("a settlement is dated once, also when it is written down again", () => {
  now = 1_000;
  using ledger = openLedger(":memory:", clock);
  const key = planned(ledger, 1, 10n);
  ledger.recordAsserted(key, 0);
  ledger.recordSettled(key, null);
  now = 50_000;
  ledger.recordSettled(key, nct(2n));
  expect(ledger.profitSince(instant(1_001))).toBe(0n);
  expect(ledger.profitSince(instant(1_000))).toBe(-8n);
});

it("no sum that is asked for before a bid walks the whole ledger", () => {
  using db = openLedgerFile(":memory:");
  for (const sql of MONEY_QUERIES) {
    const marks = sql.match(/\?/g)!.map(() => "x");
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...marks) as { detail: string }[];
    expect(steps[0]?.detail).toMatch(
      /USING (COVERING )?INDEX (bounty_by_state|assertion_by_time|assertion_by_settlement)/,
    );
    for (const { detail } of steps) expect(detail).toMatch(/^SEARCH/);
  }
});

it("what comes before a signature, when something was signed last, does not walk the journal", () => {
  using db = openLedgerFile(":memory:");
  const steps = db.prepare("EXPLAIN QUERY PLAN SELECT max(written_at) FROM journal").all();
  expect(steps).toEqual([
    expect.objectContaining({
      detail: "SEARCH journal USING COVERING INDEX journal_by_time",
    }),
  ]);
});

it("a ledger of an earlier version knows when its bounties were settled", () => {
  const folder = mkdtempSync(join(tmpdir(), "ledger-"));
  const file = join(folder, "ledger.sqlite");
  {
    using old = new DatabaseSync(file);
    old.exec(`${MIGRATIONS.slice(0, 2).join("")} PRAGMA user_version = 2;`);
    const guid = "00000000-0000-4000-8000-000000000001";
    old.exec(`INSERT INTO bounty VALUES ('side', '${guid}', 'file', '0x', '1', 'u', 1, 1, '[]', 'settled', NULL, 1, 0, 5, 70);
      INSERT INTO assertion (chain, guid, commitment, nonce, mask, verdicts, bids, stake, fee, metadata, planned_at, payout)
      VALUES ('side', '${guid}', '1', '1', '1', '1', '[]', '9', '1', '[]', 5, '0')`);
  }
  {
    using ledger = openLedger(file, clock);
    expect(ledger.profitSince(instant(70))).toBe(-10n);
    expect(ledger.profitSince(instant(71))).toBe(0n);
  }
  rmSync(folder, { recursive: true });
});
