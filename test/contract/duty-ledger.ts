import { describe, expect, it } from "vitest";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { DutyLedger } from "../../src/ledger/duty-ledger.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { FIRST_POSITION } from "../../src/ledger/records.ts";
import { aPlan, signed } from "../fixtures/bounties.ts";
import { bring, KEY } from "./ledger-scene.ts";

export interface DutyLedgerUnderTest extends Disposable {
  readonly duties: DutyLedger;
  /** The ledger beneath, in which others wrote the plan. */
  readonly ledger: Ledger;
  /** Trouble begins, if this implementation is to meet any: from now on nothing reaches the disk. */
  begin(): void;
  /** It is over, and what was missing is written. */
  end(): void;
}

/** The ledger itself, in the words of the duties. */
export const asDutyLedger = (ledger: Ledger): DutyLedger => ({
  find: (key) => ledger.find(key),
  assertion: (key) => ledger.assertion(key),
  references: (key, action) => ledger.references(key, action),
  lastEntries: (key, action) => ledger.lastEntries(key, action),
  firstSequence: (key, action) => ledger.firstSequence(key, action),
  takenSequence: (after) => ledger.takenSequence("side", after),
  journalAssertion(key, transactions, fee) {
    if (fee !== undefined) ledger.recordFee(key, fee);
    ledger.journal(key, "assert", transactions);
  },
  journal: (key, action, transactions) => ledger.journal(key, action, transactions),
  recordRequested: (key, ms) => ledger.recordRequested(key, ms),
  recordAsserted: (key, index) => ledger.recordAsserted(key, index),
  recordIndex: (key, index) => ledger.recordIndex(key, index),
  recordMetadataUri: (key, uri) => ledger.recordMetadataUri(key, uri),
  recordRevealed: (key) => ledger.recordRevealed(key),
  recordRevealMissed: (key) => ledger.recordRevealMissed(key),
  recordDetails: (key, details) => ledger.recordDetails(key, details),
  recordQuorum: (key) => ledger.recordQuorum(key),
  recordSettled(key, payout, truth) {
    ledger.recordTruth(key, truth);
    ledger.recordSettled(key, payout);
  },
  abandon: (key, reason) => ledger.abandon(key, reason),
});

/**
 * What the duties are promised: what one of them wrote, the next one reads, and in the end the ledger beneath says the same.
 * All of it happens between `begin` and `end`, but for the signature of an assertion, which a ledger in trouble refuses.
 */
export function describeDutyLedger(kind: string, open: () => DutyLedgerUnderTest): void {
  /** Both say this of the bounty: the duties' ledger at once, the one beneath in the end. */
  const bothSay = (test: DutyLedgerUnderTest, record: object, assertion: object = {}): void => {
    expect(test.duties.find(KEY)).toMatchObject(record);
    expect(test.duties.assertion(KEY)).toMatchObject(assertion);
    test.end();
    expect(test.ledger.find(KEY)).toMatchObject(record);
    expect(test.ledger.assertion(KEY)).toMatchObject(assertion);
    expect(test.duties.find(KEY)).toEqual(test.ledger.find(KEY));
    expect(test.duties.assertion(KEY)).toEqual(test.ledger.assertion(KEY));
  };
  const [reveal, anew] = [signed("0xreveal", 9n), signed("0xanew", 12n)];

  describe(`the ledger of the duties ${kind}`, () => {
    it("fixes what is about to be sent, with the fee that was approved, before anything is sent", () => {
      using test = open();
      bring(test.ledger, "planned");
      const transactions = [signed("0xapprove", 7n), signed("0xassert", 8n)];
      test.duties.journalAssertion(KEY, transactions, nct(5n));
      test.begin();
      expect(test.duties.references(KEY, "assert")).toEqual(["0xassert"]);
      expect(test.duties.lastEntries(KEY, "assert")).toEqual(transactions);
      expect(test.duties.firstSequence(KEY, "assert")).toBe(7n);
      test.duties.recordRequested(KEY, 40);
      bothSay(test, { state: "posting" }, { fee: 5n });
      expect(test.ledger.assertion(KEY)?.requestedMs).toBe(40);
    });

    it("knows the place and the metadata of an assertion", () => {
      using test = open();
      bring(test.ledger, "posting");
      test.begin();
      test.duties.recordMetadataUri(KEY, "QmMetadata");
      test.duties.recordAsserted(KEY, 3);
      test.duties.recordIndex(KEY, 4);
      bothSay(test, { state: "asserted" }, { index: 4, metadataUri: "QmMetadata" });
      expect(test.duties.takenSequence(FIRST_POSITION)).toBe(7n);
    });

    it("can send again the reveal that was signed last", () => {
      using test = open();
      bring(test.ledger, "asserted");
      test.begin();
      expect(test.duties.lastEntries(KEY, "reveal")).toEqual([]);
      for (const transaction of [reveal, anew]) {
        test.duties.journal(KEY, "reveal", [transaction]);
        expect(test.duties.lastEntries(KEY, "reveal")).toEqual([transaction]);
      }
      expect(test.duties.references(KEY, "reveal")).toEqual(["0xreveal", "0xanew"]);
      bothSay(test, { state: "revealing" });
      expect(test.ledger.references(KEY, "reveal")).toEqual(["0xreveal", "0xanew"]);
      expect(test.ledger.lastEntries(KEY, "reveal")).toEqual([anew]);
    });

    it("takes back that a reveal was missed when it turns out to have come in time", () => {
      using test = open();
      bring(test.ledger, "asserted");
      test.begin();
      test.duties.recordRevealMissed(KEY);
      expect(test.duties.find(KEY)).toMatchObject({ state: "asserted", revealMissed: true });
      test.duties.journal(KEY, "reveal", [reveal]);
      test.duties.recordRevealed(KEY);
      bothSay(test, { state: "revealed", revealMissed: false });
    });

    it("knows of another expiration, and of a quorum", () => {
      using test = open();
      bring(test.ledger, "asserted");
      test.begin();
      test.duties.recordDetails(KEY, { expiration: 1_030 });
      test.duties.recordQuorum(KEY);
      bothSay(test, { bounty: { details: { expiration: 1_030 } }, quorum: true });
    });

    it("goes all the way from an assertion to its settlement", () => {
      using test = open();
      bring(test.ledger, "asserted");
      test.begin();
      test.duties.journal(KEY, "reveal", [reveal]);
      test.duties.recordRevealed(KEY);
      test.duties.journal(KEY, "settle", [signed("0xsettle", 10n)]);
      expect(test.duties.find(KEY)?.state).toBe("settling");
      test.duties.recordSettled(KEY, nct(4n * ONE_NCT), [true, true]);
      bothSay(test, { state: "settled" });
      expect(test.ledger.summary()).toMatchObject({ right: 1, wrong: 1, atRisk: 0n });
      expect(test.ledger.assertion(KEY)?.payout).toBe(4n * ONE_NCT);
    });

    it("gives up what was planned and not posted", () => {
      using test = open();
      bring(test.ledger, "planned");
      test.begin();
      test.duties.abandon(KEY, "too-late");
      bothSay(test, { state: "abandoned" }, aPlan());
      expect(test.ledger.find(KEY)?.reason).toBe("too-late");
    });
  });
}
