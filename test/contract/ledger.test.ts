import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import { openLedgerFile } from "../../src/ledger/sqlite/open-file.ts";
import { ledgerOn, openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { WriteBehindLedger } from "../../src/producer/duties/write-behind-ledger.ts";
import { signed } from "../fixtures/bounties.ts";
import { asDutyLedger, type DutyLedgerUnderTest, describeDutyLedger } from "./duty-ledger.ts";
import { describeLedger } from "./ledger.ts";
import { bring, KEY } from "./ledger-scene.ts";

describeLedger("in a file", (clock) => {
  const folder = mkdtempSync(join(tmpdir(), "ledger-"));
  const open = () => openLedger(join(folder, "ledger.sqlite"), clock);
  const ledger = open();
  return {
    ledger,
    again: open,
    [Symbol.dispose]() {
      ledger[Symbol.dispose]();
      rmSync(folder, { recursive: true });
    },
  };
});

describeLedger("in memory", (clock) => {
  const ledger = openLedger(":memory:", clock);
  const again = () => ({ ...ledger, [Symbol.dispose]: () => {} });
  return { ledger, again, [Symbol.dispose]: () => ledger[Symbol.dispose]() };
});

const clock = { now: () => instant(1_000) };

/** Writes behind a ledger on a disk that refuses when it is told to. */
function openWriteBehind(how: { readonly troubled: boolean }): DutyLedgerUnderTest {
  const folder = mkdtempSync(join(tmpdir(), "ledger-"));
  const db = openLedgerFile(join(folder, "ledger.sqlite"));
  const ledger = ledgerOn(db, clock);
  const duties = new WriteBehindLedger(ledger, "side", () => {});
  return {
    ledger,
    duties,
    begin: () => how.troubled && db.exec("PRAGMA query_only = ON"),
    end() {
      db.exec("PRAGMA query_only = OFF");
      duties.flush();
    },
    [Symbol.dispose]() {
      ledger[Symbol.dispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

describeDutyLedger("itself", () => {
  const ledger = openLedger(":memory:", clock);
  const nothing = () => {};
  return {
    ledger,
    duties: asDutyLedger(ledger),
    begin: nothing,
    end: nothing,
    [Symbol.dispose]: () => ledger[Symbol.dispose](),
  };
});
describeDutyLedger("that writes behind, with room on its disk", () => openWriteBehind({ troubled: false }));
describeDutyLedger("that writes behind, on a disk that refuses for a while", () =>
  openWriteBehind({ troubled: true }),
);

describe("a ledger that writes behind, on a disk that refuses", () => {
  it("signs no assertion, and does when the disk takes writes again", () => {
    using test = openWriteBehind({ troubled: true });
    bring(test.ledger, "planned");
    const transactions = [signed("0xapprove", 7n), signed("0xassert", 8n)];
    test.begin();
    expect(() => test.duties.journalAssertion(KEY, transactions, undefined)).toThrow();
    expect(test.duties.references(KEY, "assert")).toEqual([]);
    test.end();
    test.duties.journalAssertion(KEY, transactions, undefined);
    expect(test.ledger.lastEntries(KEY, "assert")).toEqual(transactions);
  });
});
