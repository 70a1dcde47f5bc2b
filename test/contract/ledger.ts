import { describe, expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import { BOUNTY_STATES } from "../../src/domain/lifecycle.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { SettledArtifact } from "../../src/domain/settled.ts";
import { ppm } from "../../src/domain/verdict.ts";
import type { BountyKey } from "../../src/ledger/records.ts";
import { aBounty, anAnswer, anOpinion, aPlan, GUID } from "../fixtures/bounties.ts";
import { describeJournal, describeNonces } from "./ledger-journal.ts";
import { bring, KEY, type LedgerUnderTest, numbered, type OpenLedgerAt } from "./ledger-scene.ts";

/** What every ledger promises the producer (`src/ledger/ledger.ts`), whatever keeps it. */
export function describeLedger(kind: string, openAt: OpenLedgerAt): void {
  const open = (): LedgerUnderTest => {
    let now = 1_000;
    return openAt({ now: () => instant(now++) });
  };
  describe(`the ledger ${kind}`, () => {
    describe("of bounties", () => bounties(open));
    describe("of assertions", () => assertions(open));
    describe("of what was signed", () => describeJournal(open));
    describe("of what is on its way and what was mined", () => describeNonces(open, openAt));
    describe("of pins and notes", () => pins(open));
    describe("of sums", () => sums(openAt));
    describe("of a chain that is gone", () => writingOff(open));
  });
}

function bounties(open: () => LedgerUnderTest): void {
  it("gives back a bounty exactly as it was seen, also to the next process", () => {
    using test = open();
    expect(test.ledger.see(aBounty())).toBe(true);
    using again = test.again();
    expect(again.find(KEY)).toEqual({
      bounty: aBounty(),
      state: "seen",
      reason: null,
      quorum: false,
      revealMissed: false,
      seenAt: 1_000,
    });
  });

  it("sees a bounty once, however often its event is repeated, and knows no other", () => {
    using test = open();
    test.ledger.see(aBounty());
    expect(test.ledger.see(aBounty({ amount: nct(1n) }))).toBe(false);
    expect(test.ledger.find(KEY)?.bounty.amount).toBe(aBounty().amount);
    expect(test.ledger.find({ ...KEY, guid: numbered(1) })).toBeUndefined();
    expect(test.ledger.find({ ...KEY, market: "home" })).toBeUndefined();
  });

  it.for(BOUNTY_STATES)("finds a bounty in the state %s, and in no other", (state) => {
    using test = open();
    bring(test.ledger, state);
    const others = BOUNTY_STATES.filter((other) => other !== state);
    expect(test.ledger.inStates("side", [state]).map(({ bounty }) => bounty.guid)).toEqual([GUID]);
    expect(test.ledger.inStates("side", others)).toEqual([]);
    expect(test.ledger.inStates("home", [state])).toEqual([]);
  });

  it("refuses to move a bounty where its life cycle does not lead, and leaves it where it is", () => {
    using test = open();
    bring(test.ledger, "revealed");
    expect(() => test.ledger.advance(KEY, "planned")).toThrow(
      expect.objectContaining({ code: "LEDGER_STATE" }),
    );
    expect(test.ledger.find(KEY)?.state).toBe("revealed");
    test.ledger.recordSettled(KEY, null);
    expect(() => test.ledger.abandon(KEY, "too-late")).toThrow(
      expect.objectContaining({ code: "LEDGER_STATE" }),
    );
    expect(test.ledger.find(KEY)).toMatchObject({ state: "settled", reason: null });
    expect(() => test.ledger.advance(KEY, "settled")).not.toThrow();
  });

  it("begins an abandoned bounty again, without what was planned and signed; any other stays as it is", () => {
    using test = open();
    bring(test.ledger, "posting");
    test.ledger.reopen(KEY);
    expect(test.ledger.find(KEY)?.state).toBe("posting");
    test.ledger.abandon(KEY, "asserted-before");
    test.ledger.reopen(KEY);
    expect(test.ledger.find(KEY)).toMatchObject({ state: "seen", reason: null });
    expect(test.ledger.assertion(KEY)).toBeUndefined();
    expect(test.ledger.references(KEY, "assert")).toEqual([]);
  });

  it("takes back that a reveal was missed when it turns out to have come in time", () => {
    using test = open();
    bring(test.ledger, "asserted");
    test.ledger.recordRevealMissed(KEY);
    expect(test.ledger.find(KEY)).toMatchObject({ state: "asserted", revealMissed: true });
    test.ledger.recordRevealed(KEY);
    expect(test.ledger.find(KEY)).toMatchObject({ state: "revealed", revealMissed: false });
  });

  it("keeps another expiration and a quorum", () => {
    using test = open();
    bring(test.ledger, "asserted");
    test.ledger.recordDetails(KEY, { expiration: 1_030 });
    test.ledger.recordQuorum(KEY);
    expect(test.ledger.find(KEY)).toMatchObject({
      bounty: { ...aBounty(), details: { expiration: 1_030 } },
      quorum: true,
    });
  });

  it("makes several changes as one, or none of them", () => {
    using test = open();
    const { ledger } = test;
    ledger.see(aBounty());
    const half = () =>
      ledger.together(() => {
        ledger.setNote("side", "half", "done");
        ledger.advance(KEY, "settled");
      });
    expect(half).toThrow(expect.objectContaining({ code: "LEDGER_STATE" }));
    expect(ledger.note("side", "half")).toBeUndefined();
    ledger.abandon(KEY, "no-opinion");
    expect(() => ledger.planAssertion(KEY, aPlan())).toThrow();
    expect(ledger.assertion(KEY)).toBeUndefined();
  });
}

function assertions(open: () => LedgerUnderTest): void {
  it("keeps every digit of 256-bit numbers and amounts, also for the next process", () => {
    using test = open();
    const plan = aPlan({ confidences: [ppm(0.8), ppm(0.6)] });
    bring(test.ledger, "distilled");
    test.ledger.planAssertion(KEY, plan);
    using again = test.again();
    expect(again.assertion(KEY)).toMatchObject({
      ...plan,
      metadataUri: null,
      index: null,
      requestedMs: null,
      payout: null,
    });
    expect(again.hasAsserted("side")).toBe(true);
    expect(again.hasAsserted("home")).toBe(false);
  });

  it("refuses a second, different answer to the same bounty, and takes the same one twice", () => {
    using test = open();
    bring(test.ledger, "planned");
    expect(() => test.ledger.planAssertion(KEY, aPlan())).not.toThrow();
    expect(() => test.ledger.planAssertion(KEY, aPlan({ commitment: 7n }))).toThrow(
      expect.objectContaining({ code: "ANSWERED_ALREADY" }),
    );
    expect(test.ledger.assertion(KEY)).toMatchObject(aPlan());
  });

  it("keeps what comes to be known of an assertion: fee, time, metadata, place, payout", () => {
    using test = open();
    const { ledger } = test;
    bring(ledger, "posting");
    ledger.recordFee(KEY, nct(5n));
    ledger.recordRequested(KEY, 40);
    ledger.recordRequested(KEY, 400);
    ledger.recordMetadataUri(KEY, "QmMetadata");
    ledger.recordIndex(KEY, 3);
    expect(ledger.find(KEY)?.state).toBe("posting");
    expect([...ledger.publishedIn("side", ["posting"])]).toEqual([GUID]);
    expect([...ledger.publishedIn("side", ["asserted"])]).toEqual([]);
    ledger.recordAsserted(KEY, 4);
    const known = { fee: 5n, requestedMs: 40, metadataUri: "QmMetadata" };
    expect(ledger.assertion(KEY)).toMatchObject({ ...known, index: 4, payout: null });
    expect(ledger.requestTimes()).toEqual([40]);
    ledger.recordRevealed(KEY);
    ledger.recordSettled(KEY, nct(4n * ONE_NCT));
    using again = test.again();
    expect(again.assertion(KEY)).toMatchObject({ ...known, index: 4, payout: 4n * ONE_NCT });
    expect(again.find(KEY)?.state).toBe("settled");
  });

  it("gives back what backends said of an artifact once the arbiters have decided on it, the newest bounty first", () => {
    using test = open();
    const { ledger } = test;
    const other = { ...KEY, guid: numbered(1) };
    for (const key of [KEY, other]) {
      ledger.see(aBounty(key));
      ledger.recordTriage(key, ["scan", "too-large"]);
      ledger.recordOpinions(key, [anOpinion(), null], [anAnswer()]);
      expect(ledger.find(key)?.state).toBe("distilled");
      expect(ledger.settledOf(key)).toEqual([]);
      ledger.planAssertion(key, aPlan());
      ledger.recordAsserted(key, 0);
      ledger.recordTruth(key, [true, false]);
      ledger.recordSettled(key, null);
    }
    const said = { malicious: true, answers: [{ backend: "eicar", verdict: "malicious", confidence: 1 }] };
    const skipped = { malicious: false, answers: [], given: null };
    expect(ledger.settledOf(KEY).toSorted(maliciousFirst)).toMatchObject([said, skipped]);
    expect(ledger.newestSettled(10)).toEqual([...ledger.settledOf(other), ...ledger.settledOf(KEY)]);
    expect(ledger.newestSettled(2)).toEqual(ledger.settledOf(other));
  });
}

const maliciousFirst = (a: SettledArtifact, b: SettledArtifact): number =>
  Number(b.malicious) - Number(a.malicious);

function pins(open: () => LedgerUnderTest): void {
  it("keeps the first value of a pin until it is replaced", () => {
    using test = open();
    const { ledger } = test;
    expect(ledger.pin("side", "registry")).toBeUndefined();
    ledger.setPin("side", "registry", "0x1");
    ledger.setPin("side", "registry", "0x2");
    using again = test.again();
    expect(again.pin("side", "registry")).toBe("0x1");
    expect(again.pin("home", "registry")).toBeUndefined();
    ledger.replacePin("side", "registry", "0x2");
    expect(ledger.pin("side", "registry")).toBe("0x2");
    ledger.replacePin("side", "registry", undefined);
    expect(ledger.pin("side", "registry")).toBeUndefined();
  });

  it("keeps what was noted last, until the note is taken away", () => {
    using test = open();
    const { ledger } = test;
    expect(ledger.note("side", "deprecated")).toBeUndefined();
    ledger.setNote("side", "deprecated", "3000");
    ledger.setNote("side", "deprecated", "3001");
    using again = test.again();
    expect(again.note("side", "deprecated")).toBe("3001");
    expect(again.note("home", "deprecated")).toBeUndefined();
    ledger.setNote("side", "deprecated", undefined);
    expect(ledger.note("side", "deprecated")).toBeUndefined();
  });
}

function sums(open: OpenLedgerAt): void {
  const { stake, fee } = aPlan();

  it.for([
    ["distilled", 0n, 0n],
    ["planned", stake, 0n],
    ["posting", stake, stake],
    ["asserted", stake, stake],
    ["revealing", stake, stake],
    ["revealed", stake, stake],
    ["settling", stake, stake],
    ["settled", 0n, 0n],
  ] as const)(
    "counts a %s stake as committed from its plan on, as at risk from its signature on, until it is settled",
    ([state, committed, atRisk]) => {
      using test = open({ now: () => instant(1_000) });
      bring(test.ledger, state);
      expect([test.ledger.committed(), test.ledger.committed("side")]).toEqual([committed, committed]);
      expect(test.ledger.atRisk("side")).toBe(atRisk);
      expect([test.ledger.committed("home"), test.ledger.atRisk("home")]).toEqual([0n, 0n]);
    },
  );

  it("looks back from an instant, and leaves out stakes that never came onto the market and unknown payouts", () => {
    let now = 1_000;
    using test = open({ now: () => instant(now) });
    const { ledger } = test;
    const plan = (number: number): BountyKey => {
      const key = { ...KEY, guid: numbered(number) };
      bring(ledger, "distilled", key);
      ledger.planAssertion(key, aPlan({ plannedAt: instant(now) }));
      return key;
    };
    const [early, unknown] = [plan(1), plan(2)];
    for (const key of [early, unknown]) ledger.recordAsserted(key, 0);
    now = 2_000;
    ledger.abandon(plan(3), "too-late");
    ledger.recordSettled(early, nct(4n * ONE_NCT));
    ledger.recordSettled(unknown, null);
    plan(4);
    expect(ledger.stakedSince(instant(0))).toBe(3n * stake);
    expect(ledger.stakedSince(instant(2_000))).toBe(stake);
    expect(ledger.profitSince(instant(2_000))).toBe(4n * ONE_NCT - stake - fee);
    expect(ledger.profitSince(instant(2_001))).toBe(0n);
  });

  it("sums up everything: states, profit, reveals, right and wrong against the arbiters", () => {
    using test = open({ now: () => instant(1_000) });
    bring(test.ledger, "settling");
    test.ledger.recordTruth(KEY, [true, true]);
    test.ledger.recordSettled(KEY, nct(4n * ONE_NCT));
    const missed = { ...KEY, guid: numbered(1) };
    bring(test.ledger, "asserted", missed);
    test.ledger.recordRevealMissed(missed);
    using again = test.again();
    expect(again.summary()).toEqual({
      bounties: 2,
      byState: { settled: 1, asserted: 1 },
      asserted: 2,
      revealed: 1,
      settled: 1,
      staked: 2n * stake,
      atRisk: stake,
      profit: 4n * ONE_NCT - stake - fee,
      revealsMissed: 1,
      right: 1,
      wrong: 1,
    });
  });
}

function writingOff(open: () => LedgerUnderTest): void {
  it("ends what is not settled, and takes back what may be staked as what was signed for it last", () => {
    using test = open();
    const { ledger } = test;
    const states = BOUNTY_STATES.map((state, number) => ({ state, key: { ...KEY, guid: numbered(number) } }));
    for (const { state, key } of states) bring(ledger, state, key);
    bring(ledger, "asserted", { market: "home", guid: GUID });

    expect(ledger.writeOff("side", "chain-anew")).toBe(BOUNTY_STATES.length - 2);
    const after = () =>
      Object.fromEntries(states.map(({ state, key }) => [state, ledger.find(key)?.state ?? "none"]));
    const ended = Object.fromEntries(BOUNTY_STATES.map((state) => [state, "abandoned"]));
    expect(after()).toEqual({ ...ended, settled: "settled" });
    expect(ledger.atRisk("side")).toBe(0n);
    expect(ledger.find({ market: "home", guid: GUID })?.state).toBe("asserted");
    expect(ledger.writtenOff("side", "chain-anew", 2)).toHaveLength(2);

    const staked = ["posting", "asserted", "revealing", "settling"];
    const taken = Object.fromEntries(staked.map((state) => [state, state]));
    expect(ledger.takeBack("side", "chain-anew")).toBe(staked.length + 1);
    expect(after()).toEqual({ ...ended, ...taken, revealed: "revealing", settled: "settled" });
    expect(ledger.find({ ...KEY, guid: numbered(BOUNTY_STATES.indexOf("seen")) })?.reason).toBe("chain-anew");
    expect(ledger.find({ ...KEY, guid: numbered(BOUNTY_STATES.indexOf("asserted")) })?.reason).toBeNull();
  });

  it("names those written off with an assertion of ours, the newest first", () => {
    using test = open();
    const { ledger } = test;
    for (const number of [2, 0, 1]) bring(ledger, "asserted", { ...KEY, guid: numbered(number) });
    bring(ledger, "distilled");
    ledger.writeOff("side", "chain-anew");
    expect(ledger.writtenOff("side", "chain-anew", 9)).toEqual([1, 0, 2].map(numbered));
    expect(ledger.writtenOff("side", "too-late", 9)).toEqual([]);
  });
}
