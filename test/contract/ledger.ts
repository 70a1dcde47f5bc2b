import { describe, expect, it } from "vitest";
import { block, type Clock, instant } from "../../src/domain/chain.ts";
import type { Guid } from "../../src/domain/guid.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { BOUNTY_STATES, type BountyState, UNPROMISED_STATES } from "../../src/domain/lifecycle.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { SettledArtifact } from "../../src/domain/settled.ts";
import { ppm } from "../../src/domain/verdict.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { BountyKey } from "../../src/ledger/records.ts";
import { aBounty, anAnswer, aPlan, GUID, signed } from "../fixtures/bounties.ts";

export interface LedgerUnderTest extends Disposable {
  readonly ledger: Ledger;
  /** The ledger as a process finds it that comes after this one; where nothing outlives the process, the same. */
  again(): Ledger;
}

export const KEY = { market: "side", guid: GUID } as const;

const numbered = (number: number): Guid =>
  parseGuid(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`);

/** Every step of a bounty that is revealed and settled, from the plan on. */
const STEPS: readonly (readonly [BountyState, (ledger: Ledger, key: BountyKey, nonce: bigint) => void])[] = [
  ["planned", (ledger, key) => ledger.planAssertion(key, aPlan())],
  [
    "posting",
    (ledger, key, nonce) =>
      ledger.recordSigned(key, "assert", [
        signed(`0xapprove-${key.guid}`, nonce),
        signed(`0xassert-${key.guid}`, nonce + 1n),
      ]),
  ],
  ["asserted", (ledger, key) => ledger.recordAsserted(key, 4)],
  [
    "revealing",
    (ledger, key, nonce) => ledger.recordSigned(key, "reveal", [signed(`0xreveal-${key.guid}`, nonce + 2n)]),
  ],
  ["revealed", (ledger, key) => ledger.recordRevealed(key)],
  [
    "settling",
    (ledger, key, nonce) => ledger.recordSigned(key, "settle", [signed(`0xsettle-${key.guid}`, nonce + 3n)]),
  ],
  ["settled", (ledger, key) => ledger.recordSettled(key, nct(4n * ONE_NCT))],
];

/** Takes a bounty from nothing to a state; what is signed for it on the way has the account nonces from `nonce` on. */
export function bring(ledger: Ledger, state: BountyState, key: BountyKey = KEY, nonce = 7n): void {
  ledger.see(aBounty(key));
  if (state === "abandoned") ledger.abandon(key, "too-late");
  else if ((UNPROMISED_STATES as readonly BountyState[]).includes(state)) ledger.advance(key, state);
  else promise(ledger, state, key, nonce);
}

function promise(ledger: Ledger, state: BountyState, key: BountyKey, nonce: bigint): void {
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(key, [null, null], []);
  for (const [reached, step] of STEPS) {
    step(ledger, key, nonce);
    if (reached === state) return;
  }
}

type Open = (clock: Clock) => LedgerUnderTest;

/** What every ledger promises the producer (`src/ledger/ledger.ts`), whatever keeps it. */
export function describeLedger(kind: string, openAt: Open): void {
  const open = (): LedgerUnderTest => {
    let now = 1_000;
    return openAt({ now: () => instant(now++) });
  };
  describe(`the ledger ${kind}`, () => {
    describe("of bounties", () => bounties(open));
    describe("of assertions", () => assertions(open));
    describe("of what was signed", () => journal(open));
    describe("of what is on its way and what was mined", () => nonces(open));
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
    expect(test.ledger.signed(KEY, "assert")).toEqual([]);
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
    test.ledger.recordExpiration(KEY, block(1_030));
    test.ledger.recordQuorum(KEY);
    expect(test.ledger.find(KEY)).toMatchObject({
      bounty: { ...aBounty(), expiration: 1_030 },
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

function journal(open: () => LedgerUnderTest): void {
  const first = [signed("0xapproval", 1n), signed("0xb", 2n)];
  const second = [signed("0xanother", 9n), signed("0xa", 10n)];

  it("remembers which transaction decided each time something was signed, in order, also for the next process", () => {
    using test = open();
    bring(test.ledger, "planned");
    for (const entry of [first, second, first]) test.ledger.recordSigned(KEY, "assert", entry);
    using again = test.again();
    expect(again.signed(KEY, "assert")).toEqual(["0xb", "0xa"]);
    expect(again.signed(KEY, "reveal")).toEqual([]);
    expect(again.find(KEY)?.state).toBe("posting");
  });

  it("can send again what was signed last, byte for byte, in the order of the nonces", () => {
    using test = open();
    bring(test.ledger, "planned");
    expect(test.ledger.lastSigned(KEY, "assert")).toEqual([]);
    expect(test.ledger.firstNonce(KEY, "assert")).toBeUndefined();
    for (const entry of [second, first, second]) {
      test.ledger.recordSigned(KEY, "assert", entry);
      expect(test.ledger.lastSigned(KEY, "assert")).toEqual(entry);
    }
    expect(test.ledger.lastSigned(KEY, "reveal")).toEqual([]);
    expect(test.ledger.firstNonce(KEY, "assert")).toBe(1n);
  });

  it("moves a bounty to where what was signed for it may be on its way", () => {
    using test = open();
    bring(test.ledger, "planned");
    for (const [action, state] of [
      ["assert", "posting"],
      ["reveal", "revealing"],
      ["settle", "settling"],
    ] as const) {
      test.ledger.recordSigned(KEY, action, [signed(`0x${action}`)]);
      expect(test.ledger.find(KEY)?.state).toBe(state);
    }
  });

  it("signs nothing for a bounty that is settled", () => {
    using test = open();
    bring(test.ledger, "settled");
    expect(() => test.ledger.recordSigned(KEY, "settle", first)).toThrow(
      expect.objectContaining({ code: "LEDGER_STATE" }),
    );
    expect(test.ledger.signed(KEY, "settle")).toEqual([`0xsettle-${GUID}`]);
  });
}

function nonces(open: () => LedgerUnderTest): void {
  const other = { ...KEY, guid: numbered(1) };

  it("names what may still be on its way, from an account nonce on", () => {
    using test = open();
    const { ledger } = test;
    bring(ledger, "planned");
    expect(ledger.signedFrom("side", 0n)).toEqual([]);
    const [approval, assertion] = [signed("0xapproval", 7n), signed("0xassertion", 8n)];
    ledger.recordSigned(KEY, "assert", [approval, assertion]);
    expect(ledger.signedFrom("side", 7n)).toEqual([[approval, assertion]]);
    expect(ledger.signedFrom("side", 8n)).toEqual([[assertion]]);
    expect(ledger.signedFrom("side", 9n)).toEqual([]);
    expect(ledger.signedFrom("home", 0n)).toEqual([]);
    ledger.recordAsserted(KEY, 0);
    expect(ledger.signedFrom("side", 0n)).toEqual([]);
    ledger.recordSigned(KEY, "reveal", [signed("0xreveal", 10n)]);
    ledger.recordSigned(KEY, "reveal", [signed("0xreveal-again", 11n)]);
    expect(ledger.signedFrom("side", 0n)).toEqual([[signed("0xreveal-again", 11n)]]);
    ledger.recordRevealed(KEY);
    expect(ledger.signedFrom("side", 0n)).toEqual([]);
  });

  it("gives an account nonce that was used twice to what was signed later", () => {
    using test = open();
    const { ledger } = test;
    for (const key of [KEY, other]) bring(ledger, "planned", key);
    const ours = [signed("0xapproval", 7n), signed("0xassertion", 8n)];
    const theirs = [signed("0xother", 8n), signed("0xother-assertion", 9n)];
    ledger.recordSigned(KEY, "assert", ours);
    ledger.recordSigned(other, "assert", theirs);
    expect(ledger.signedFrom("side", 0n)).toEqual([theirs]);
    expect(ledger.signedByNonce("side", 7n, 9)).toEqual([ours[0], ...theirs]);
    ledger.recordSigned(KEY, "assert", ours);
    expect(ledger.signedFrom("side", 0n)).toEqual([ours]);
  });

  it("names the last reveal of each bounty that may be on its way, in the order of the nonces", () => {
    using test = open();
    bring(test.ledger, "revealing", KEY, 20n);
    bring(test.ledger, "revealing", other, 10n);
    bring(test.ledger, "revealed", { ...KEY, guid: numbered(2) }, 30n);
    expect(test.ledger.signedReveals("side").map(({ nonce }) => nonce)).toEqual([12n, 22n]);
    test.ledger.recordSigned(KEY, "reveal", [signed("0xanew", 11n)]);
    expect(test.ledger.signedReveals("side").map(({ nonce }) => nonce)).toEqual([11n, 12n]);
    expect(test.ledger.signedReveals("home")).toEqual([]);
  });

  it("knows which account nonces a block certainly holds, as far as a bounty has left the step behind", () => {
    using test = open();
    bring(test.ledger, "posting");
    expect(test.ledger.minedNonce("side")).toBeUndefined();
    test.ledger.recordAsserted(KEY, 0);
    expect(test.ledger.minedNonce("side")).toBe(7n);
    test.ledger.recordSigned(KEY, "reveal", [signed("0xreveal", 40n)]);
    expect(test.ledger.minedNonce("side")).toBe(7n);
    test.ledger.recordRevealed(KEY);
    expect(test.ledger.minedNonce("side")).toBe(40n);
    expect(test.ledger.minedNonce("side", test.ledger.newestEntry())).toBeUndefined();
    expect(test.ledger.minedNonce("home")).toBeUndefined();
  });

  it("tells what was signed after an entry from what was signed before, and where a run of nonces breaks", () => {
    using test = open();
    const { ledger } = test;
    expect(ledger.newestEntry()).toBe(0);
    expect(ledger.newestNonce("side")).toBeUndefined();
    bring(ledger, "posting", KEY, 5n);
    const entry = ledger.newestEntry();
    expect(ledger.newestNonce("side", entry)).toBeUndefined();
    bring(ledger, "posting", other, 8n);
    expect(ledger.newestNonce("side", entry)).toBe(9n);
    const found = (...asked: [bigint, number, number?]) =>
      ledger.signedByNonce("side", ...asked).map(({ nonce }) => nonce);
    expect(found(5n, 9)).toEqual([5n, 6n]);
    expect(found(8n, 1)).toEqual([8n]);
    expect(found(7n, 9)).toEqual([]);
    expect(found(5n, 9, entry)).toEqual([]);
    expect(found(8n, 9, entry)).toEqual([8n, 9n]);
  });
}

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

function sums(open: Open): void {
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

  it("names those written off with an assertion of ours, the one that expires last first", () => {
    using test = open();
    const { ledger } = test;
    for (const [number, expiration] of [1_010, 1_030, 1_020].entries()) {
      const key = { ...KEY, guid: numbered(number) };
      bring(ledger, "asserted", key);
      ledger.recordExpiration(key, block(expiration));
    }
    bring(ledger, "distilled");
    ledger.writeOff("side", "chain-anew");
    expect(ledger.writtenOff("side", "chain-anew", 9)).toEqual([1, 2, 0].map(numbered));
    expect(ledger.writtenOff("side", "too-late", 9)).toEqual([]);
  });
}
