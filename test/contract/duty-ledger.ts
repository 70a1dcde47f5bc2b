import { describe, expect, it } from "vitest";
import { block } from "../../src/domain/chain.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { WriteBehindLedger } from "../../src/producer/duties/write-behind-ledger.ts";
import { aBounty, aPlan, signed } from "../fixtures/bounties.ts";
import { bring, KEY } from "./ledger-scene.ts";

/** What the duties read and write of one bounty. */
export type DutyLedger = Pick<
  WriteBehindLedger,
  | "find"
  | "assertion"
  | "signed"
  | "lastSigned"
  | "firstNonce"
  | "minedNonce"
  | "journalAssertion"
  | "recordSigned"
  | "recordRequested"
  | "recordAsserted"
  | "recordIndex"
  | "recordMetadataUri"
  | "recordRevealed"
  | "recordRevealMissed"
  | "recordExpiration"
  | "recordQuorum"
  | "recordSettled"
  | "abandon"
>;

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
  signed: (key, action) => ledger.signed(key, action),
  lastSigned: (key, action) => ledger.lastSigned(key, action),
  firstNonce: (key, action) => ledger.firstNonce(key, action),
  minedNonce: () => ledger.minedNonce("side"),
  journalAssertion(key, transactions, fee) {
    if (fee !== undefined) ledger.recordFee(key, fee);
    ledger.recordSigned(key, "assert", transactions);
  },
  recordSigned: (key, action, transactions) => ledger.recordSigned(key, action, transactions),
  recordRequested: (key, ms) => ledger.recordRequested(key, ms),
  recordAsserted: (key, index) => ledger.recordAsserted(key, index),
  recordIndex: (key, index) => ledger.recordIndex(key, index),
  recordMetadataUri: (key, uri) => ledger.recordMetadataUri(key, uri),
  recordRevealed: (key) => ledger.recordRevealed(key),
  recordRevealMissed: (key) => ledger.recordRevealMissed(key),
  recordExpiration: (key, _bounty, expiration) => ledger.recordExpiration(key, expiration),
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
      expect(test.duties.signed(KEY, "assert")).toEqual(["0xassert"]);
      expect(test.duties.lastSigned(KEY, "assert")).toEqual(transactions);
      expect(test.duties.firstNonce(KEY, "assert")).toBe(7n);
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
      expect(test.duties.minedNonce()).toBe(7n);
    });

    it("can send again the reveal that was signed last", () => {
      using test = open();
      bring(test.ledger, "asserted");
      test.begin();
      expect(test.duties.lastSigned(KEY, "reveal")).toEqual([]);
      for (const transaction of [reveal, anew]) {
        test.duties.recordSigned(KEY, "reveal", [transaction]);
        expect(test.duties.lastSigned(KEY, "reveal")).toEqual([transaction]);
      }
      expect(test.duties.signed(KEY, "reveal")).toEqual(["0xreveal", "0xanew"]);
      bothSay(test, { state: "revealing" });
      expect(test.ledger.signed(KEY, "reveal")).toEqual(["0xreveal", "0xanew"]);
      expect(test.ledger.lastSigned(KEY, "reveal")).toEqual([anew]);
    });

    it("takes back that a reveal was missed when it turns out to have come in time", () => {
      using test = open();
      bring(test.ledger, "asserted");
      test.begin();
      test.duties.recordRevealMissed(KEY);
      expect(test.duties.find(KEY)).toMatchObject({ state: "asserted", revealMissed: true });
      test.duties.recordSigned(KEY, "reveal", [reveal]);
      test.duties.recordRevealed(KEY);
      bothSay(test, { state: "revealed", revealMissed: false });
    });

    it("knows of another expiration, and of a quorum", () => {
      using test = open();
      bring(test.ledger, "asserted");
      test.begin();
      test.duties.recordExpiration(KEY, aBounty(), block(1_030));
      test.duties.recordQuorum(KEY);
      bothSay(test, { bounty: { expiration: 1_030 }, quorum: true });
    });

    it("goes all the way from an assertion to its settlement", () => {
      using test = open();
      bring(test.ledger, "asserted");
      test.begin();
      test.duties.recordSigned(KEY, "reveal", [reveal]);
      test.duties.recordRevealed(KEY);
      test.duties.recordSigned(KEY, "settle", [signed("0xsettle", 10n)]);
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
