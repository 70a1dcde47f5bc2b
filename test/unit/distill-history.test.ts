import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, it } from "vitest";
import { parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { nct } from "../../src/domain/nct.ts";
import type { Opinion } from "../../src/domain/opinion.ts";
import { ppm } from "../../src/domain/verdict.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { HISTORY_QUERIES, newestSettled } from "../../src/ledger/read/history.ts";
import type { BountyKey } from "../../src/ledger/records.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { openReadOnly } from "../../src/ledger/sqlite/read-only.ts";
import { aBounty, anAnswer, aPlan } from "../fixtures/bounties.ts";

let now = 1_000;
const clock = { now: () => instant(now) };
const folder = mkdtempSync(join(tmpdir(), "microengine-history-"));
afterAll(() => rmSync(folder, { recursive: true }));

const opinion: Opinion = {
  verdict: "malicious",
  confidence: ppm(0.8),
  probability: ppm(0.9),
  interval: [ppm(0.7), ppm(0.95)],
  family: "",
  reason: "eicar malicious 1",
};
const keyOf = (number: number): BountyKey => ({
  market: number % 2 === 0 ? "side" : "home",
  guid: parseGuid(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`),
});

/** A bounty of two artifacts, asserted and settled; eicar speaks of both, yara of the first. */
function settled(ledger: Ledger, number: number, truth: readonly boolean[] = [true, false]): BountyKey {
  const key = keyOf(number);
  ledger.see(aBounty({ ...key }));
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(
    key,
    [opinion, null],
    [
      anAnswer({ guid: key.guid, artifactIndex: 0, backend: "yara", confidence: 0.5, types: [] }),
      anAnswer({ guid: key.guid, artifactIndex: 0, backend: "eicar", types: ["text/plain", "text/html"] }),
      anAnswer({
        guid: key.guid,
        artifactIndex: 1,
        backend: "eicar",
        verdict: "unknown",
        confidence: 0,
        reason: "no-match",
      }),
    ],
  );
  ledger.planAssertion(key, aPlan({ plannedAt: clock.now() }));
  ledger.recordAsserted(key, 0);
  ledger.recordTruth(key, truth);
  ledger.recordSettled(key, nct(1n));
  return key;
}

it("gives back what was said of an artifact before its truth came, and what was made of it", () => {
  using ledger = openLedger(":memory:", clock);
  const key = settled(ledger, 1);
  const [first, second, ...others] = ledger.settledOf(key);
  expect(others).toEqual([]);
  expect(first).toEqual({
    malicious: true,
    types: ["text/plain", "text/html"],
    answers: [
      { backend: "eicar", verdict: "malicious", confidence: 1 },
      { backend: "yara", verdict: "malicious", confidence: 0.5 },
    ],
    given: { verdict: "malicious", probability: 900_000 },
  });
  expect(second).toMatchObject({
    malicious: false,
    answers: [{ backend: "eicar", verdict: "unknown", reason: "no-match" }],
    given: null,
  });
  expect(ledger.newestSettled(10)).toEqual([first, second]);
});

it("leaves out artifacts whose truth nobody knows", () => {
  using ledger = openLedger(":memory:", clock);
  const key = settled(ledger, 1, [true]);
  expect(ledger.settledOf(key)).toHaveLength(1);
  now++;
  settled(ledger, 2, []);
  // Nor do they take the place of others.
  expect(ledger.newestSettled(1)).toHaveLength(1);
  expect(ledger.settledOf(keyOf(2))).toEqual([]);
});

it("reads the newest bounties first, of all chains, and no more artifacts than asked for", () => {
  using ledger = openLedger(":memory:", clock);
  for (let number = 0; number < 5; number++) {
    now = 10_000 + number;
    settled(ledger, number, number === 4 ? [false, false] : [true, true]);
  }
  expect(ledger.newestSettled(3).map(({ malicious }) => malicious)).toEqual([false, false, true]);
});

it("a row that somebody damaged teaches nothing, and the others still do", () => {
  const file = join(folder, "damaged.sqlite");
  {
    using ledger = openLedger(file, clock);
    settled(ledger, 1);
    settled(ledger, 2);
  }
  const db = new DatabaseSync(file);
  db.exec("UPDATE answer SET verdict = 'perhaps' WHERE market = 'home' AND backend = 'yara'");
  expect(newestSettled(db, 10)).toHaveLength(3);
  db.close();
});

it("finds its way along indexes, however large the ledger is", () => {
  const file = join(folder, "plan.sqlite");
  openLedger(file, clock)[Symbol.dispose]();
  using db = openReadOnly(file);
  for (const [sql, values] of [
    [HISTORY_QUERIES.newest, [10]],
    [HISTORY_QUERIES.ofBounty, ["side", "x"]],
  ] as const) {
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[];
    const details = plan.map(({ detail }) => detail);
    // Along the index of settlements only those rows are scanned that are wanted.
    expect(
      details.filter((detail) => /^SCAN/.test(detail) && !/assertion_by_settlement/.test(detail)),
    ).toEqual([]);
    expect(details.filter((detail) => /TEMP B-TREE/.test(detail))).toEqual([]);
  }
});

it("is read while its producer writes, and writes nothing itself", () => {
  const file = join(folder, "busy.sqlite");
  using ledger = openLedger(file, clock);
  settled(ledger, 1);
  using db = openReadOnly(file);
  expect(newestSettled(db, 10)).toHaveLength(2);
  ledger.together(() => {
    settled(ledger, 2);
    expect(newestSettled(db, 10)).toHaveLength(2);
  });
  expect(newestSettled(db, 10)).toHaveLength(4);
  expect(() => db.exec("DELETE FROM answer")).toThrow(/readonly/);
});

it("says in one line that there is no ledger, or one of another version", () => {
  expect(() => openReadOnly(join(folder, "nowhere.sqlite"))).toThrow(/There is no ledger/);
  const file = join(folder, "old.sqlite");
  const old = new DatabaseSync(file);
  old.exec("PRAGMA user_version = 1");
  old.close();
  expect(() => openReadOnly(file)).toThrow(/version 1, and this microengine reads version/);
});
