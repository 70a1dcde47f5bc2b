import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { MIGRATIONS } from "../../src/ledger/sqlite/schema.ts";

const guid = parseGuid("00000000-0000-4000-8000-000000000001");

it("a ledger whose confidences were distances from even odds has chances of being right when it is opened", () => {
  const folder = mkdtempSync(join(tmpdir(), "ledger-"));
  const file = join(folder, "ledger.sqlite");
  {
    using old = new DatabaseSync(file);
    old.exec(`${MIGRATIONS.slice(0, 4).join("")} PRAGMA user_version = 4;`);
    const rows = [
      ["malicious", 900_000, 950_000],
      ["benign", 540_000, 230_000],
      ["suspicious", 80_000, 460_000],
      ["unknown", 0, 300_000],
      ["malicious", 900_001, 950_001],
      [null, null, null],
    ] as const;
    const insert = old.prepare(
      `INSERT INTO artifact (chain, guid, position, triage, verdict, confidence_ppm, probability_ppm)
       VALUES ('side', ?, ?, 'scan', ?, ?, ?)`,
    );
    for (const [position, row] of rows.entries()) insert.run(guid, position, ...row);
    // What was bid on: the second was favoured up to certainty, the third is odd.
    old.exec(`INSERT INTO assertion (chain, guid, commitment, nonce, mask, verdicts, bids, stake, fee, metadata, planned_at,
        confidences)
      VALUES ('side', '${guid}', '1', '1', '7', '1', '["1","1","1"]', '9', '1', '[]', 5, '[540000,1000000,900001]'),
        ('home', '${guid}', '1', '1', '1', '1', '["1"]', '9', '1', '[]', 5, NULL)`);
  }
  {
    using ledger = openLedger(file, { now: () => instant(5) });
    expect(ledger.assertion({ market: "side", guid })?.confidences).toEqual([770_000, 1_000_000, 950_001]);
    expect(ledger.assertion({ market: "home", guid })).not.toHaveProperty("confidences");
    using db = new DatabaseSync(file);
    const kept = db.prepare("SELECT confidence_ppm AS ppm FROM artifact ORDER BY position").all();
    expect(kept.map(({ ppm }) => ppm)).toEqual([950_000, 770_000, 540_000, 0, 950_001, null]);
  }
  {
    using again = openLedger(file, { now: () => instant(6) });
    expect(again.assertion({ market: "side", guid })?.confidences?.[0]).toBe(770_000);
  }
  rmSync(folder, { recursive: true });
});
