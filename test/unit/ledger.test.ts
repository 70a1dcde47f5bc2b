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
import { type Clock, instant } from "../../src/domain/chain.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { ppm } from "../../src/domain/verdict.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { aBounty, anAnswer, aPlan, GUID, signed } from "../fixtures/bounties.ts";

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

describe("the ledger", () => {
  it("gives back a bounty exactly as it was seen, also after reopening the file", () => {
    {
      using ledger = openLedger(file, clock);
      expect(ledger.see(aBounty())).toBe(true);
    }
    using ledger = openLedger(file, clock);
    expect(ledger.find(key)?.bounty).toEqual(aBounty());
    expect(ledger.find(key)?.state).toBe("seen");
  });

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

  it("sees a bounty once, however often its event is repeated", () => {
    using ledger = openLedger(file, clock);
    ledger.see(aBounty());
    expect(ledger.see(aBounty())).toBe(false);
  });

  it("keeps every digit of 256-bit numbers and amounts", () => {
    using ledger = openLedger(file, clock);
    planned(ledger);
    expect(ledger.assertion(key)).toMatchObject(aPlan());
  });

  it("refuses a second, different answer to the same bounty", () => {
    using ledger = openLedger(file, clock);
    planned(ledger);
    expect(() => ledger.planAssertion(key, aPlan())).not.toThrow();
    expect(() => ledger.planAssertion(key, aPlan({ commitment: 7n }))).toThrow(
      expect.objectContaining({ code: "ANSWERED_ALREADY" }),
    );
  });

  it("refuses to move a bounty where its life cycle does not lead", () => {
    using ledger = openLedger(file, clock);
    planned(ledger);
    ledger.recordSigned(key, "assert", [signed("0x1")]);
    ledger.recordAsserted(key, 0);
    ledger.recordRevealed(key);
    expect(() => ledger.advance(key, "planned")).toThrow(expect.objectContaining({ code: "LEDGER_STATE" }));
    expect(ledger.find(key)?.state).toBe("revealed");
    ledger.recordSettled(key, null);
    expect(() => ledger.abandon(key, "too-late")).toThrow(expect.objectContaining({ code: "LEDGER_STATE" }));
    expect(ledger.find(key)?.state).toBe("settled");
  });

  it("remembers which transaction decided each time a duty was signed for, in order", () => {
    using ledger = openLedger(file, clock);
    planned(ledger);
    ledger.recordSigned(key, "assert", [signed("0xapproval", 1n), signed("0xb", 2n)]);
    ledger.recordSigned(key, "assert", [signed("0xanother", 9n), signed("0xa", 10n)]);
    ledger.recordSigned(key, "assert", [signed("0xapproval", 1n), signed("0xb", 2n)]);
    expect(ledger.signed(key, "assert")).toEqual(["0xb", "0xa"]);
    expect(ledger.signed(key, "reveal")).toEqual([]);
    expect(ledger.find(key)?.state).toBe("posting");
  });

  it("can hand over again what was signed last, in the order of the nonces", () => {
    using ledger = openLedger(file, clock);
    planned(ledger);
    expect(ledger.lastSigned(key, "assert")).toEqual([]);
    ledger.recordSigned(key, "assert", [signed("0xapproval", 1n), signed("0xb", 2n)]);
    ledger.recordSigned(key, "assert", [signed("0xanother", 9n), signed("0xa", 10n)]);
    expect(ledger.lastSigned(key, "assert")).toEqual([signed("0xanother", 9n), signed("0xa", 10n)]);
    ledger.recordSigned(key, "assert", [signed("0xapproval", 1n), signed("0xb", 2n)]);
    expect(ledger.lastSigned(key, "assert")).toEqual([signed("0xapproval", 1n), signed("0xb", 2n)]);
    expect(ledger.lastSigned(key, "reveal")).toEqual([]);
  });

  it("names what may still be on its way, from an account nonce on", () => {
    using ledger = openLedger(file, clock);
    planned(ledger);
    expect(ledger.signedFrom("side", 0n)).toEqual([]);
    ledger.recordSigned(key, "assert", [signed("0xapproval", 7n), signed("0xassertion", 8n)]);
    expect(ledger.signedFrom("side", 7n)).toEqual([[signed("0xapproval", 7n), signed("0xassertion", 8n)]]);
    expect(ledger.signedFrom("side", 8n)).toEqual([[signed("0xassertion", 8n)]]);
    expect(ledger.signedFrom("side", 9n)).toEqual([]);
    expect(ledger.signedFrom("home", 0n)).toEqual([]);
    ledger.recordAsserted(key, 0);
    expect(ledger.signedFrom("side", 0n)).toEqual([]);
    ledger.recordSigned(key, "reveal", [signed("0xreveal", 10n)]);
    ledger.recordSigned(key, "reveal", [signed("0xreveal-again", 11n)]);
    expect(ledger.signedFrom("side", 0n)).toEqual([[signed("0xreveal-again", 11n)]]);
    ledger.recordRevealed(key);
    expect(ledger.signedFrom("side", 0n)).toEqual([]);
  });

  it("gives an account nonce that was used twice to what was signed later", () => {
    using ledger = openLedger(file, clock);
    planned(ledger);
    const other = { market: "side", guid: parseGuid("00000000-0000-4000-8000-000000000001") } as const;
    ledger.see(aBounty({ guid: other.guid }));
    ledger.recordTriage(other, ["scan", "scan"]);
    ledger.recordOpinions(other, [null, null], []);
    ledger.planAssertion(other, aPlan());
    ledger.recordSigned(key, "assert", [signed("0xapproval", 7n), signed("0xassertion", 8n)]);
    ledger.recordSigned(other, "assert", [signed("0xother", 8n), signed("0xother-assertion", 9n)]);
    expect(ledger.signedFrom("side", 0n)).toEqual([[signed("0xother", 8n), signed("0xother-assertion", 9n)]]);
    ledger.recordSigned(key, "assert", [signed("0xapproval", 7n), signed("0xassertion", 8n)]);
    expect(ledger.signedFrom("side", 0n)).toEqual([[signed("0xapproval", 7n), signed("0xassertion", 8n)]]);
  });

  it("keeps what was noted last, until the note is taken away", () => {
    using ledger = openLedger(file, clock);
    expect(ledger.note("side", "deprecated")).toBeUndefined();
    ledger.setNote("side", "deprecated", "3000");
    ledger.setNote("side", "deprecated", "3001");
    expect(ledger.note("side", "deprecated")).toBe("3001");
    expect(ledger.note("home", "deprecated")).toBeUndefined();
    ledger.setNote("side", "deprecated", undefined);
    expect(ledger.note("side", "deprecated")).toBeUndefined();
  });

  it("counts a stake as at risk from signing until it is settled", () => {
    using ledger = openLedger(file, clock);
    planned(ledger);
    expect(ledger.atRisk("side")).toBe(0n);
    ledger.recordSigned(key, "assert", [signed("0x1")]);
    expect(ledger.atRisk("side")).toBe(aPlan().stake);
    ledger.recordAsserted(key, 0);
    ledger.recordRevealed(key);
    expect(ledger.atRisk("side")).toBe(aPlan().stake);
    ledger.recordSettled(key, nct(0n));
    expect(ledger.atRisk("side")).toBe(0n);
  });

  it("sums up profit as payout less stake and fee, and right and wrong against the arbiters", () => {
    using ledger = openLedger(file, clock);
    planned(ledger);
    ledger.recordSigned(key, "assert", [signed("0x1")]);
    ledger.recordAsserted(key, 0);
    ledger.recordRevealed(key);
    ledger.recordTruth(key, [true, true]);
    ledger.recordSettled(key, nct(4n * ONE_NCT));
    expect(ledger.summary()).toMatchObject({
      bounties: 1,
      byState: { settled: 1 },
      staked: aPlan().stake,
      profit: 4n * ONE_NCT - aPlan().stake - aPlan().fee,
      right: 1,
      wrong: 1,
    });
  });

  it("keeps opinions and answers with the artifact they are about", () => {
    using ledger = openLedger(file, clock);
    ledger.see(aBounty());
    ledger.recordTriage(key, ["scan", "too-large"]);
    const opinion = {
      verdict: "malicious",
      confidence: ppm(0.8),
      probability: ppm(0.9),
      interval: [ppm(0.5), ppm(1)],
      family: "EICAR",
      reason: "eicar: malicious",
    } as const;
    ledger.recordOpinions(key, [opinion, null], [anAnswer()]);
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

  it("leaves nothing half written when one step of a change fails", () => {
    using ledger = openLedger(file, clock);
    ledger.see(aBounty());
    ledger.abandon(key, "no-opinion");
    expect(() => ledger.planAssertion(key, aPlan())).toThrow();
    expect(ledger.assertion(key)).toBeUndefined();
  });

  it("keeps the first value of a pin", () => {
    using ledger = openLedger(file, clock);
    ledger.setPin("side", "registry", "0x1");
    ledger.setPin("side", "registry", "0x2");
    expect(ledger.pin("side", "registry")).toBe("0x1");
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
