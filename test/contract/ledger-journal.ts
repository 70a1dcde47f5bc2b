import { expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import { GUID, signed } from "../fixtures/bounties.ts";
import { bring, KEY, type LedgerUnderTest, numbered, type OpenLedgerAt } from "./ledger-scene.ts";

/** The journal of what was signed, by bounty. */
export function describeJournal(open: () => LedgerUnderTest): void {
  const first = [signed("0xapproval", 1n), signed("0xb", 2n)];
  const second = [signed("0xanother", 9n), signed("0xa", 10n)];

  it("remembers which transaction decided each time something was signed, in order, also for the next process", () => {
    using test = open();
    bring(test.ledger, "planned");
    for (const entry of [first, second, first]) test.ledger.journal(KEY, "assert", entry);
    using again = test.again();
    expect(again.references(KEY, "assert")).toEqual(["0xb", "0xa"]);
    expect(again.references(KEY, "reveal")).toEqual([]);
    expect(again.find(KEY)?.state).toBe("posting");
  });

  it("can send again what was signed last, byte for byte, in the order of the nonces", () => {
    using test = open();
    bring(test.ledger, "planned");
    expect(test.ledger.lastEntries(KEY, "assert")).toEqual([]);
    expect(test.ledger.firstSequence(KEY, "assert")).toBeUndefined();
    for (const entry of [second, first, second]) {
      test.ledger.journal(KEY, "assert", entry);
      expect(test.ledger.lastEntries(KEY, "assert")).toEqual(entry);
    }
    expect(test.ledger.lastEntries(KEY, "reveal")).toEqual([]);
    expect(test.ledger.firstSequence(KEY, "assert")).toBe(1n);
  });

  it("moves a bounty to where what was signed for it may be on its way", () => {
    using test = open();
    bring(test.ledger, "planned");
    for (const [action, state] of [
      ["assert", "posting"],
      ["reveal", "revealing"],
      ["settle", "settling"],
    ] as const) {
      test.ledger.journal(KEY, action, [signed(`0x${action}`)]);
      expect(test.ledger.find(KEY)?.state).toBe(state);
    }
  });

  it("signs nothing for a bounty that is settled", () => {
    using test = open();
    bring(test.ledger, "settled");
    expect(() => test.ledger.journal(KEY, "settle", first)).toThrow(
      expect.objectContaining({ code: "LEDGER_STATE" }),
    );
    expect(test.ledger.references(KEY, "settle")).toEqual([`0xsettle-${GUID}`]);
  });
}

/** The same by account nonce: what is on its way, and what was mined. */
export function describeNonces(open: () => LedgerUnderTest, openAt: OpenLedgerAt): void {
  const other = { ...KEY, guid: numbered(1) };

  it("names what may still be on its way, from an account nonce on", () => {
    using test = open();
    const { ledger } = test;
    bring(ledger, "planned");
    expect(ledger.entriesFrom("side", 0n)).toEqual([]);
    const [approval, assertion] = [signed("0xapproval", 7n), signed("0xassertion", 8n)];
    ledger.journal(KEY, "assert", [approval, assertion]);
    expect(ledger.entriesFrom("side", 7n)).toEqual([[approval, assertion]]);
    expect(ledger.entriesFrom("side", 8n)).toEqual([[assertion]]);
    expect(ledger.entriesFrom("side", 9n)).toEqual([]);
    expect(ledger.entriesFrom("home", 0n)).toEqual([]);
    ledger.recordAsserted(KEY, 0);
    expect(ledger.entriesFrom("side", 0n)).toEqual([]);
    ledger.journal(KEY, "reveal", [signed("0xreveal", 10n)]);
    ledger.journal(KEY, "reveal", [signed("0xreveal-again", 11n)]);
    expect(ledger.entriesFrom("side", 0n)).toEqual([[signed("0xreveal-again", 11n)]]);
    ledger.recordRevealed(KEY);
    expect(ledger.entriesFrom("side", 0n)).toEqual([]);
  });

  it("gives an account nonce that was used twice to what was signed later", () => {
    using test = open();
    const { ledger } = test;
    for (const key of [KEY, other]) bring(ledger, "planned", key);
    const ours = [signed("0xapproval", 7n), signed("0xassertion", 8n)];
    const theirs = [signed("0xother", 8n), signed("0xother-assertion", 9n)];
    ledger.journal(KEY, "assert", ours);
    ledger.journal(other, "assert", theirs);
    expect(ledger.entriesFrom("side", 0n)).toEqual([theirs]);
    expect(ledger.entriesBySequence("side", 7n, 9)).toEqual([ours[0], ...theirs]);
    ledger.journal(KEY, "assert", ours);
    expect(ledger.entriesFrom("side", 0n)).toEqual([ours]);
  });

  it("goes by the order of signing, not by a clock that stands still or was set back", () => {
    let now = 100_000;
    using test = openAt({ now: () => instant(now) });
    const { ledger } = test;
    for (const key of [KEY, other]) bring(ledger, "planned", key);
    const ours = [signed("0xassertion", 8n)];
    const theirs = [signed("0xother", 8n)];
    ledger.journal(KEY, "assert", ours);
    ledger.journal(other, "assert", theirs);
    ledger.journal(KEY, "assert", ours);
    expect(ledger.entriesBySequence("side", 8n, 9)).toEqual(ours);
    now = 40_000;
    using again = test.again();
    again.journal(other, "assert", theirs);
    expect(again.entriesFrom("side", 0n)).toEqual([theirs]);
  });

  it("names the last reveal of each bounty that may be on its way, in the order of the nonces", () => {
    using test = open();
    bring(test.ledger, "revealing", KEY, 20n);
    bring(test.ledger, "revealing", other, 10n);
    bring(test.ledger, "revealed", { ...KEY, guid: numbered(2) }, 30n);
    expect(test.ledger.openEntries("side").map(({ sequence }) => sequence)).toEqual([12n, 22n]);
    test.ledger.journal(KEY, "reveal", [signed("0xanew", 11n)]);
    expect(test.ledger.openEntries("side").map(({ sequence }) => sequence)).toEqual([11n, 12n]);
    expect(test.ledger.openEntries("home")).toEqual([]);
  });

  it("knows which account nonces a block certainly holds, as far as a bounty has left the step behind", () => {
    using test = open();
    bring(test.ledger, "posting");
    expect(test.ledger.takenSequence("side")).toBeUndefined();
    test.ledger.recordAsserted(KEY, 0);
    expect(test.ledger.takenSequence("side")).toBe(7n);
    test.ledger.journal(KEY, "reveal", [signed("0xreveal", 40n)]);
    expect(test.ledger.takenSequence("side")).toBe(7n);
    test.ledger.recordRevealed(KEY);
    expect(test.ledger.takenSequence("side")).toBe(40n);
    expect(test.ledger.takenSequence("side", test.ledger.newestPosition())).toBeUndefined();
    expect(test.ledger.takenSequence("home")).toBeUndefined();
  });

  it("tells what was signed after an entry from what was signed before, and where a run of nonces breaks", () => {
    using test = open();
    const { ledger } = test;
    expect(ledger.newestPosition()).toBe(0);
    expect(ledger.newestSequence("side")).toBeUndefined();
    bring(ledger, "posting", KEY, 5n);
    const entry = ledger.newestPosition();
    expect(ledger.newestSequence("side", entry)).toBeUndefined();
    bring(ledger, "posting", other, 8n);
    expect(ledger.newestSequence("side", entry)).toBe(9n);
    const found = (...asked: [bigint, number, number?]) =>
      ledger.entriesBySequence("side", ...asked).map(({ sequence }) => sequence);
    expect(found(5n, 9)).toEqual([5n, 6n]);
    expect(found(8n, 1)).toEqual([8n]);
    expect(found(7n, 9)).toEqual([]);
    expect(found(5n, 9, entry)).toEqual([]);
    expect(found(8n, 9, entry)).toEqual([8n, 9n]);
  });
}
