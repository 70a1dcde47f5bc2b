import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { uintToGuid } from "../../src/domain/guid.ts";
import { type Clock, instant } from "../../src/domain/instant.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { MIGRATIONS } from "../../src/ledger/sqlite/schema.ts";
import { aBounty, anAnswer, anOpinion, aPlan, GUID } from "../fixtures/bounties.ts";

const key = { market: "side", guid: GUID } as const;
let time = 0;
const clock: Clock = { now: () => instant(++time) };
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ledger-"));
  file = join(folder, "ledger.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A bounty as far as `planned`. */
function planned(ledger: Ledger): void {
  ledger.see(aBounty());
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(key, [null, null], []);
  ledger.planAssertion(key, aPlan());
}

/** What every ledger promises is in test/contract/ledger.ts. */
describe("the ledger in a file", () => {
  it("of an earlier release opens with claims of 4 MB, reads none of them, and moves their bounty in milliseconds", () => {
    {
      using ledger = openLedger(file, clock);
      ledger.see(aBounty());
    }
    {
      using db = new DatabaseSync(file);
      const claims = `[{"raw":{"x":[${"1,".repeat(2_000_000)}1]}}]`;
      db.prepare("UPDATE bounty SET claims = ?").run(claims);
    }
    using ledger = openLedger(file, clock);
    const before = process.cpuUsage();
    for (let step = 0; step < 50; step++) {
      ledger.advance(key, "seen");
      expect(ledger.find(key)?.bounty.claims).toEqual([]);
      expect(ledger.inStates("side", ["seen"])).toHaveLength(1);
    }
    const { user, system } = process.cpuUsage(before);
    // 50 steps took 27 s each: parsed once at every one of them.
    expect(user + system).toBeLessThan(5_000_000);
  });

  it("reads claims that make no sense as none: a stranger's words keep no bounty from its reveal", () => {
    {
      using ledger = openLedger(file, clock);
      ledger.see(aBounty());
    }
    {
      using db = new DatabaseSync(file);
      db.prepare("UPDATE bounty SET claims = ?").run(`[{"raw":${"[".repeat(100)}${"]".repeat(100)}}]`);
    }
    using ledger = openLedger(file, clock);
    expect(ledger.find(key)?.bounty).toEqual(aBounty({ claims: [] }));
  });

  it("keeps opinions and answers with the artifact they are about", () => {
    using ledger = openLedger(file, clock);
    ledger.see(aBounty());
    ledger.recordTriage(key, ["scan", "too-large"]);
    ledger.recordOpinions(key, [anOpinion(), null], [anAnswer()]);
    expect(ledger.find(key)?.state).toBe("distilled");
    using db = new DatabaseSync(file);
    expect(db.prepare("SELECT triage, verdict FROM artifact ORDER BY position").all()).toMatchObject([
      { triage: "scan", verdict: "malicious" },
      { triage: "too-large", verdict: null },
    ]);
    expect(db.prepare("SELECT backend, verdict FROM answer").all()).toMatchObject([
      { backend: "eicar", verdict: "malicious" },
    ]);
  });

  it("reports a damaged file and leaves every byte of it as it was", () => {
    writeFileSync(file, "this is not a database, but it may be all somebody has left");
    const before = readFileSync(file);
    expect(() => openLedger(file, clock)).toThrow(expect.objectContaining({ code: "LEDGER_CORRUPT" }));
    expect(readFileSync(file)).toEqual(before);
  });

  it("finds damage on any page before it writes, and leaves every byte as it was", () => {
    {
      using ledger = openLedger(file, clock);
      planned(ledger);
    }
    const whole = readFileSync(file);
    const PAGE = 4096;
    for (let page = 1; page < whole.length / PAGE; page++) {
      const damaged = Buffer.from(whole);
      damaged.fill(0xa5, page * PAGE, (page + 1) * PAGE);
      writeFileSync(file, damaged);
      expect(() => openLedger(file, clock), `page ${page}`).toThrow(
        expect.objectContaining({ code: "LEDGER_CORRUPT" }),
      );
      expect(readFileSync(file)).toEqual(damaged);
    }
  });

  it("says so when the data directory is a file", () => {
    writeFileSync(join(dirname(file), "taken"), "");
    expect(() => openLedger(join(dirname(file), "taken", "ledger.sqlite"), clock)).toThrow(
      /taken is a file\./,
    );
  });

  it("makes the folders above the data directory", () => {
    openLedger(join(folder, "a", "b", "ledger.sqlite"), clock)[Symbol.dispose]();
    expect(statSync(join(folder, "a", "b")).mode & 0o777).toBe(0o700);
  });

  it.runIf(existsSync("/proc/self"))("says at once that a file system makes no folders", () => {
    expect(() => openLedger("/proc/microengine/data/ledger.sqlite", clock)).toThrow(
      expect.objectContaining({ code: "LEDGER_UNWRITABLE" }),
    );
  });

  it("says that the disk does not let it write, and not that it is damaged", () => {
    openLedger(file, clock)[Symbol.dispose]();
    mkdirSync(`${file}-wal`);
    expect(() => openLedger(file, clock)).toThrow(expect.objectContaining({ code: "LEDGER_UNWRITABLE" }));
  });

  it("keeps a new file to its owner, also in a folder that is open to all", () => {
    chmodSync(folder, 0o755);
    using _ledger = openLedger(file, clock);
    const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]);
    expect(modes).not.toEqual([]);
    expect(modes.filter(([, mode]) => mode !== 0o600)).toEqual([]);
  });

  it("refuses a ledger written by a newer version", () => {
    new DatabaseSync(file).exec("PRAGMA user_version = 99");
    expect(() => openLedger(file, clock)).toThrow(expect.objectContaining({ code: "LEDGER_TOO_NEW" }));
  });

  it("refuses a database that belongs to something else", () => {
    new DatabaseSync(file).exec("CREATE TABLE recipes (name TEXT)");
    expect(() => openLedger(file, clock)).toThrow(expect.objectContaining({ code: "LEDGER_CORRUPT" }));
  });
});

it("keeps what an earlier release knew of its bounties, of open ones and of those that came to an end", () => {
  const version = MIGRATIONS.findIndex((sql) => sql.includes("RENAME TO journal"));
  const old = new DatabaseSync(file);
  for (const sql of MIGRATIONS.slice(0, version)) old.exec(sql);
  const insert = old.prepare(
    `INSERT INTO bounty (market, guid, kind, author, amount, uri, artifact_count, expiration, claims, state, seen_at, updated_at)
     VALUES ('side', ?, 'file', ?, '1', 'Qm', 1, ?, '[]', ?, 1, 1)`,
  );
  const settled = uintToGuid(7n);
  insert.run(GUID, aBounty().author, 1_020, "asserted");
  insert.run(settled, aBounty().author, 980, "settled");
  old.exec(`PRAGMA user_version = ${version}`);
  old.close();
  using ledger = openLedger(file, clock);
  expect(ledger.find(key)?.bounty.details).toEqual({ expiration: 1_020 });
  expect(ledger.find({ ...key, guid: settled })?.bounty.details).toEqual({ expiration: 980 });
  // One of today is another's no more than that.
  const pushed = aBounty({ guid: uintToGuid(8n), details: { answerTo: "https://market.example/1" } });
  ledger.see(pushed);
  expect(ledger.find(pushed)?.bounty.details).toEqual(pushed.details);
});
