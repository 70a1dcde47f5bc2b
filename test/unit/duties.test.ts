import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseGuid } from "../../src/domain/guid.ts";
import { type Clock, instant } from "../../src/domain/instant.ts";
import { formatNct, nct, ONE_NCT } from "../../src/domain/nct.ts";
import { isDiskTrouble } from "../../src/ledger/disk-trouble.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { BountyKey } from "../../src/ledger/records.ts";
import { openLedgerFile } from "../../src/ledger/sqlite/open-file.ts";
import { ledgerOn, openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import { transactionOf } from "../../src/market/onchain/port/journal.ts";
import type { PostedAssertion } from "../../src/market/onchain/port/marketplace.ts";
import type { Duties } from "../../src/producer/duties/duties.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import { aBounty, aPlan, GUID, signed, someParameters } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";

// The bounty expires in block 1020; reveals until 1029, votes until 1129.
const key = { market: "side", guid: GUID } as const;
const clock: Clock = { now: () => instant(Date.now()) };

let market: HandMarket;
let ledger: Ledger;
let reservations: BalanceReservations;
let told: { event: string; facts: object }[];
let duties: Duties;

/** A second a block, unless a test says otherwise. */
let steadyMs: () => number;

function openDuties(): Duties {
  const opened = onchainDuties({
    market,
    ledger,
    reservations,
    clock,
    steadyMs: () => steadyMs(),
    tell: (event, facts) => void told.push({ event, facts }),
  });
  opened.listen();
  return opened;
}

const actions = () => market.asked.filter((what) => ["assert", "reveal", "settle"].includes(what));

const ours = (more: Partial<PostedAssertion> = {}): PostedAssertion => ({
  guid: GUID,
  author: market.account,
  index: 4,
  bids: aPlan().bids,
  mask: aPlan().mask,
  commitment: aPlan().commitment,
  revealed: false,
  ...more,
});

/** The market shows our revealed assertion and one vote; these come to 3.5 NCT for us unless told otherwise. */
const decided = (votes = 0b11n) => {
  market.listed = [ours({ index: 0, revealed: true, verdicts: 0b01n })];
  market.given = [{ voter: aBounty().author, votes }];
};
const OWED = nct((7n * ONE_NCT) / 2n);

/** A settlement is looked at again three blocks after it was seen. */
const settleAt = async (number: number) => {
  await market.mine(number);
  await market.mine(number + 3);
};

/** What the contract says of a reveal outside its window. */
const LATE = { kind: "failed", reason: "Bounty not in reveal window", retryable: true } as const;

/** Never answers, but lets go when it is told to. */
const hanging = (signal?: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
  });

const plan = () => {
  ledger.see(aBounty());
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(key, [null, null], []);
  ledger.planAssertion(key, aPlan());
};

beforeEach(async () => {
  market = new HandMarket();
  steadyMs = () => market.head() * 1_000;
  ledger = openLedger(":memory:", clock);
  reservations = new BalanceReservations(() => market.balance(), clock);
  told = [];
  await reservations.refresh();
  plan();
  reservations.reserve(GUID, aPlan().stake);
  duties = openDuties();
});

describe("posting", () => {
  it("looks on the market before it posts again what may be on its way", async () => {
    market.asserting = [{ kind: "unknown", reason: "no receipt" }];
    await duties.take(GUID, 0);
    expect(ledger.find(key)?.state).toBe("posting");
    market.listed = [ours()];
    await market.mine(1_003);
    expect(actions()).toEqual(["assert"]);
    expect(ledger.assertion(key)?.index).toBe(4);
    expect(ledger.find(key)?.state).toBe("asserted");
  });

  it("does not take an engine's assertion for ours because it stands on the same bounty", async () => {
    market.asserting = [{ kind: "unknown", reason: "no receipt" }];
    await duties.take(GUID, 0);
    market.listed = [ours({ commitment: 1n }), ours({ author: aBounty().author })];
    await market.mine(1_003);
    expect(ledger.find(key)?.state).toBe("posting");
  });

  it("posts again when the transactions certainly failed and there is still time", async () => {
    market.asserting = [
      { kind: "unknown", reason: "no receipt" },
      { kind: "done", value: { index: 2 } },
    ];
    market.fates = [{ kind: "failed", reason: "reverted", retryable: true }];
    await duties.take(GUID, 0);
    await market.mine(1_003);
    expect(actions()).toEqual(["assert", "assert"]);
    expect(ledger.assertion(key)?.index).toBe(2);
  });

  it("asks after the assertion only: an approval that was mined alone has staked nothing", async () => {
    market.asserting = [{ kind: "failed", reason: "the gateway went away in between", retryable: true }];
    market.fates = [{ kind: "failed", reason: "It was never sent.", retryable: true }];
    await duties.take(GUID, 0);
    market.asserting = [{ kind: "done", value: { index: 1 } }];
    await market.mine(1_003);
    expect(market.lookedUp).toEqual([[expect.stringContaining("0xassert")]]);
    expect(ledger.find(key)?.state).toBe("asserted");
  });

  it("takes the transaction's word for it when the market's list leaves our assertion out", async () => {
    market.asserting = [{ kind: "unknown", reason: "no receipt" }];
    market.fates = [{ kind: "done", value: { payout: nct(0n), index: 7 } }];
    await duties.take(GUID, 0);
    await market.mine(1_003);
    expect(ledger.assertion(key)?.index).toBe(7);
    expect(actions()).toEqual(["assert"]);
  });

  it("does not post again what reverted for a reason that stays", async () => {
    market.asserting = [{ kind: "failed", reason: "Bid not between min & max", retryable: false }];
    market.fates = [{ kind: "failed", reason: "Bid not between min & max", retryable: false }];
    await duties.take(GUID, 0);
    await market.mine(1_003);
    expect(actions()).toEqual(["assert"]);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "post-failed" });
  });

  it("never posts what may still be on its way, and gives the stake back when the market never saw it", async () => {
    market.asserting = [{ kind: "unknown", reason: "no receipt" }];
    market.minedCounting = async () => 0n;
    await duties.take(GUID, 0);
    await market.mine(1_003);
    await market.mine(1_028);
    expect(ledger.find(key)?.state).toBe("posting");
    await market.mine(1_029);
    expect(actions()).toEqual(["assert"]);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "post-failed" });
    expect(reservations.available()).toBe(100n * ONE_NCT);
  });

  it("hands over the very bytes that an earlier run signed and may not have sent", async () => {
    market.confirming = hanging;
    void duties.take(GUID, 0);
    const signed = ledger.lastEntries(key, "assert").map(({ reference }) => reference);
    market.resending = [{ kind: "sent" }];
    openDuties().resume();
    await market.mine(1_003);
    expect(market.resent.at(-1)).toEqual(signed);
    expect(actions()).toEqual(["assert"]);
    market.listed = [ours()];
    await market.mine(1_004);
    expect(ledger.find(key)?.state).toBe("asserted");
  });

  it("signs the same commitment anew when what was signed can never be mined", async () => {
    market.asserting = [
      { kind: "unknown", reason: "no receipt" },
      { kind: "done", value: { index: 2 } },
    ];
    market.resending = [{ kind: "void", reason: "another transaction has the nonce" }];
    await duties.take(GUID, 0);
    await market.mine(1_003);
    expect(market.assertRequests.map(({ commitment }) => commitment)).toEqual([
      aPlan().commitment,
      aPlan().commitment,
    ]);
    expect(ledger.assertion(key)?.index).toBe(2);
  });

  it("asserts nothing anew when it is too late for it, and looks on until the reveal window has passed", async () => {
    market.asserting = [{ kind: "unknown", reason: "no receipt" }];
    market.resending = [{ kind: "void", reason: "another transaction has the nonce" }];
    await duties.take(GUID, 0);
    market.revealing = [{ kind: "failed", reason: "reverted: Incorrect assertion author", retryable: false }];
    await market.mine(1_019);
    expect(ledger.find(key)?.state).toBe("posting");
    await market.mine(1_028);
    expect(actions().filter((action) => action === "assert")).toEqual(["assert"]);
    // Nothing is certain about the nonce that is used, so the reveal is tried.
    expect(ledger.find(key)?.state).toBe("revealing");
  });

  it("looks on when the contract says that we have asserted, though the market does not show it", async () => {
    market.asserting = [{ kind: "unknown", reason: "no receipt" }];
    market.fates = [{ kind: "failed", reason: "Sender has already asserted", retryable: false }];
    await duties.take(GUID, 0);
    await market.mine(1_003);
    expect(ledger.find(key)?.state).toBe("posting");
    market.listed = [ours()];
    await market.mine(1_004);
    expect(ledger.find(key)?.state).toBe("asserted");
  });

  it("gives up at once where another assertion of ours stands, and leaves that one to recover", async () => {
    market.asserting = [{ kind: "failed", reason: "Sender has already asserted", retryable: false }];
    market.fates = market.asserting as never;
    market.listed = [ours({ commitment: 12n })];
    await duties.take(GUID, 0);
    await market.mine(1_003);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "asserted-before" });
    expect(told.slice(-2)).toMatchObject([
      { event: "assertion.another-stands", facts: { index: 4 } },
      { event: "bounty.abandoned", facts: { why: "asserted-before" } },
    ]);
    expect(actions()).toEqual(["assert"]);
    expect(reservations.available()).toBe(100n * ONE_NCT);
  });

  it("does not give up on the word of one answer that another assertion of ours stands there", async () => {
    market.asserting = [{ kind: "unknown", reason: "no receipt" }];
    market.fates = [{ kind: "failed", reason: "Sender has already asserted", retryable: false }];
    const answers = [[], [ours({ commitment: 12n })], [ours()]];
    market.assertions = async () => answers.shift() ?? [ours()];
    await duties.take(GUID, 0);
    await market.mine(1_003);
    expect(ledger.find(key)?.state).toBe("posting");
    await market.mine(1_004);
    expect(ledger.find(key)?.state).toBe("asserted");
  });

  it("has an assertion that was refused unsigned built once more, and posts it when that is right", async () => {
    market.refusals = 1;
    await duties.take(GUID, 0);
    expect(ledger.find(key)?.state).toBe("planned");
    await market.mine(1_003);
    expect(ledger.find(key)?.state).toBe("asserted");
  });

  it("has an assertion that is refused unsigned built at every block while there is time, and tells of it once", async () => {
    market.refusals = 100;
    await duties.take(GUID, 0);
    for (const number of [1_003, 1_004, 1_018]) await market.mine(number);
    expect(actions()).toHaveLength(4);
    expect(told.map(({ event }) => event)).toEqual(["duty.failed"]);
    await market.mine(1_019);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "post-failed" });
    expect(told.at(-1)?.facts).toMatchObject({ detail: expect.stringContaining("refused") });
    expect(reservations.available()).toBe(100n * ONE_NCT);
  });

  it("posts what seemed too late by the event stream when the marketplace says that there is time", async () => {
    market.fresh = async () => 1_001;
    await market.mine(1_500);
    duties.resume();
    await market.mine(1_501);
    expect(ledger.find(key)?.state).toBe("asserted");
  });

  it("gives nothing up while the marketplace cannot be asked for its newest block, but not for ever", async () => {
    market.fresh = () => Promise.reject(new Error("HTTP 500"));
    await market.mine(1_019);
    duties.resume();
    for (const number of [1_020, 1_030, 1_049]) await market.mine(number);
    expect(ledger.find(key)?.state).toBe("planned");
    await market.mine(1_050);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "too-late" });
  });

  it("posts a bounty once that was taken over before the earlier run's were taken up", async () => {
    market.confirming = hanging;
    void duties.take(GUID, 0);
    duties.resume();
    await market.mine(1_003);
    expect(actions()).toEqual(["assert"]);
    expect(market.asked).not.toContain("lookUp");
  });

  it("keeps the money together for what an earlier run promised", async () => {
    reservations = new BalanceReservations(() => market.balance(), clock);
    await reservations.refresh();
    market.confirming = hanging;
    openDuties().resume();
    expect(reservations.available()).toBe(100n * ONE_NCT - aPlan().stake - aPlan().fee);
  });

  it("gives up what was planned by an earlier run and can no longer be mined in time", async () => {
    await market.mine(1_019);
    duties.resume();
    await market.mine(1_019);
    expect(actions()).toEqual([]);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "too-late" });
  });
});

describe("an assertion that was on the market", () => {
  beforeEach(() => duties.take(GUID, 0));

  it("is looked at once more a few blocks later, once more just before the window closes, and then no more", async () => {
    market.listed = [ours({ index: 0 })];
    const looks = () => market.asked.filter((what) => what === "assertions").length;
    for (let number = 1_001; number < 1_017; number++) await market.mine(number);
    expect(looks()).toBe(1);
    for (let number = 1_017; number < 1_020; number++) await market.mine(number);
    expect(looks()).toBe(2);
    expect(told.map(({ event }) => event)).not.toContain("assertion.vanished");
  });

  it("is handed over again when a reorganisation deeper than the second look took it back, in time for the window", async () => {
    market.resending = [{ kind: "sent" }];
    market.listed = [ours({ index: 0 })];
    for (let number = 1_001; number < 1_010; number++) await market.mine(number);
    market.listed = [];
    for (let number = 1_010; number < 1_019; number++) await market.mine(number);
    expect(told.filter(({ event }) => event === "assertion.vanished").length).toBeGreaterThan(0);
    expect(market.resent.at(-1)).toEqual(ledger.lastEntries(key, "assert").map(({ reference }) => reference));
  });

  it("is handed over again when its block was taken back, until the market shows it", async () => {
    market.resending = [{ kind: "sent" }];
    await market.mine(1_003);
    await market.mine(1_004);
    expect(told.map(({ event }) => event)).toContain("assertion.vanished");
    expect(market.resent).toEqual([
      ledger.lastEntries(key, "assert").map(({ reference }) => reference),
      expect.anything(),
    ]);
    market.listed = [ours({ index: 3 })];
    await market.mine(1_005);
    await market.mine(1_006);
    expect(market.resent).toHaveLength(2);
    expect(actions()).toEqual(["assert"]);
    expect(ledger.assertion(key)?.index).toBe(3);
  });

  it("is signed anew when its block was taken back and another took the account nonce", async () => {
    market.resending = [{ kind: "void", reason: "another transaction has the nonce" }];
    market.asserting = [{ kind: "done", value: { index: 5 } }];
    await market.mine(1_003);
    expect(actions()).toEqual(["assert", "assert"]);
    expect(market.assertRequests.at(-1)?.commitment).toBe(aPlan().commitment);
    expect(ledger.find(key)?.state).toBe("asserted");
    expect(ledger.assertion(key)?.index).toBe(5);
  });

  it("stays where its receipt says it is when the market's list leaves it out, but is handed over and looked for again", async () => {
    market.fates = [{ kind: "done", value: { payout: nct(0n), index: 0 } }];
    await market.mine(1_003);
    await market.mine(1_004);
    expect(market.resent).toHaveLength(2);
    expect(told.filter(({ event }) => event === "assertion.vanished")).toHaveLength(1);
    expect(actions()).toEqual(["assert"]);
    expect(ledger.assertion(key)?.index).toBe(0);
    market.listed = [ours({ index: 6 })];
    for (const number of [1_005, 1_006]) await market.mine(number);
    expect(market.resent).toHaveLength(2);
    expect(ledger.assertion(key)?.index).toBe(6);
  });

  it("expires when two answers of the market agree on another block than was told, and is revealed then", async () => {
    market.listed = [ours({ index: 0 })];
    market.bounty = async () => aBounty({ expiration: block(1_010) });
    for (const number of [1_003, 1_010, 1_011]) await market.mine(number);
    expect(actions()).toEqual(["assert", "reveal"]);
    expect(ledger.find(key)?.bounty.details).toEqual({ expiration: 1_010 });
    expect(told).toContainEqual({
      event: "bounty.expiration-corrected",
      facts: { guid: GUID, from: 1_020, to: 1_010 },
    });
  });

  it("does not expire in another block on a single answer, but is asked after again", async () => {
    market.listed = [ours({ index: 0 })];
    const answers = [1_050, 1_020, 1_020];
    market.bounty = async () => aBounty({ expiration: block(answers.shift() ?? 1_020) });
    for (const number of [1_003, 1_004, 1_005]) await market.mine(number);
    expect(answers).toEqual([]);
    expect(ledger.find(key)?.bounty.details).toEqual({ expiration: 1_020 });
  });

  it("was never there when the window has passed, nobody lists it and its bytes revert: the stake is given back", async () => {
    market.revealing = [{ kind: "failed", reason: "Invalid assertion ID", retryable: false }];
    market.resending = [{ kind: "sent" }];
    market.fates = [
      { kind: "done", value: { payout: nct(0n), index: 0 } },
      { kind: "failed", reason: "Bounty inactive", retryable: false },
    ];
    await market.mine(1_003);
    for (const number of [1_020, 1_028, 1_029]) await market.mine(number);
    expect(ledger.find(key)?.state).toBe("revealing");
    await market.mine(1_030);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "post-failed" });
    expect(ledger.summary()).toMatchObject({ atRisk: 0n, profit: 0n, revealsMissed: 0 });
    expect(duties.open()).toBe(0);
  });

  it("is looked at once more by the next run too", async () => {
    market.listed = [ours({ index: 0 })];
    await market.mine(1_003);
    await duties.stop();
    openDuties().resume();
    for (let number = 1_004; number < 1_017; number++) await market.mine(number);
    expect(market.asked.filter((what) => what === "assertions")).toHaveLength(2);
  });
});

describe("revealing", () => {
  beforeEach(async () => {
    await duties.take(GUID, 0);
    expect(ledger.find(key)?.state).toBe("asserted");
  });

  it("happens once, when the window opens, with the metadata stored before", async () => {
    expect(market.asked).toContain("publish");
    await market.mine(1_019);
    expect(actions()).toEqual(["assert"]);
    await market.mine(1_020);
    await market.mine(1_021);
    expect(actions()).toEqual(["assert", "reveal"]);
    expect(market.reveals[0]).toMatchObject({ index: 0, nonce: aPlan().nonce, metadata: "QmMetadata" });
  });

  it("is not repeated when its answer was lost but the market shows it", async () => {
    market.revealing = [{ kind: "unknown", reason: "no receipt" }];
    await market.mine(1_020);
    market.listed = [ours({ index: 0, revealed: true })];
    await market.mine(1_021);
    expect(actions()).toEqual(["assert", "reveal"]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("is repeated at every block of the window while the market does not show it", async () => {
    market.revealing = [
      { kind: "failed", reason: "gateway trouble", retryable: true },
      { kind: "failed", reason: "gateway trouble", retryable: true },
      { kind: "done", value: undefined },
    ];
    market.listed = [ours({ index: 0 })];
    for (const number of [1_020, 1_021, 1_022, 1_023]) await market.mine(number);
    expect(actions()).toEqual(["assert", "reveal", "reveal", "reveal"]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("is repeated for the place where the market shows our assertion, should it be another", async () => {
    market.revealing = [
      { kind: "failed", reason: "reverted: Incorrect assertion author", retryable: false },
      { kind: "done", value: undefined },
    ];
    market.listed = [ours({ index: 3 })];
    await market.mine(1_020);
    await market.mine(1_021);
    expect(market.reveals.map(({ index }) => index)).toEqual([0, 3]);
  });

  it("is repeated in the window also when the market cannot be looked at", async () => {
    market.revealing = [
      { kind: "unknown", reason: "no receipt" },
      { kind: "done", value: undefined },
    ];
    market.assertions = () => Promise.reject(new Error("HTTP 500"));
    for (const number of [1_020, 1_021, 1_022]) await market.mine(number);
    expect(actions()).toEqual(["assert", "reveal"]);
    expect(market.resent).toHaveLength(2);
    await market.mine(1_023);
    expect(actions()).toEqual(["assert", "reveal", "reveal"]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("does not wait for a second look at the assertion that gets no answer", async () => {
    market.assertions = (_guid, signal) => {
      market.asked.push("assertions");
      return hanging(signal);
    };
    await market.mine(1_003);
    expect(market.asked.at(-1)).toBe("assertions");
    await market.mine(1_020);
    expect(actions()).toEqual(["assert", "reveal"]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("is handed over again in the window although the market gives no answer about the assertion", async () => {
    market.revealing = [{ kind: "unknown", reason: "no receipt" }];
    market.assertions = (_guid, signal) => hanging(signal);
    for (const number of [1_020, 1_021, 1_022]) await market.mine(number);
    expect(market.resent).toHaveLength(0);
    await market.mine(1_023);
    expect(market.resent).toHaveLength(1);
  });

  it("gives a market that is looked at a second to answer, however many blocks come in a burst", async () => {
    market.revealing = [{ kind: "unknown", reason: "no receipt" }];
    market.assertions = (_guid, signal) => hanging(signal);
    await market.mine(1_020);
    steadyMs = () => 1_020_000;
    for (const number of [1_021, 1_023, 1_025]) await market.mine(number);
    expect(market.resent).toHaveLength(0);
    steadyMs = () => 1_021_000;
    await market.mine(1_026);
    expect(market.resent).toHaveLength(1);
  });

  it("is no failure when the window closes while the market is looked at, which then shows it", async () => {
    market.revealing = [{ kind: "unknown", reason: "no receipt" }];
    await market.mine(1_020);
    const failures = () => told.filter(({ event }) => event === "duty.failed").length;
    const before = failures();
    market.assertions = (_guid, signal) =>
      market.head() < 1_030 ? hanging(signal) : Promise.resolve([ours({ index: 0, revealed: true })]);
    await market.mine(1_021);
    await market.mine(1_040);
    expect(ledger.find(key)?.state).toBe("revealed");
    expect(failures()).toBe(before);
  });

  it("waits for its receipt for three blocks, then looks, and hands over again what the market does not show", async () => {
    market.listed = [ours({ index: 0 })];
    market.reveal = async (_request, journal, signal) => {
      market.asked.push("reveal");
      await journal([transactionOf(signed("0xreveal"))]);
      await hanging(signal).catch(() => {});
      return { kind: "unknown", reason: "We stopped before the receipt came." };
    };
    for (const number of [1_020, 1_021, 1_022]) await market.mine(number);
    expect(market.asked.at(-1)).toBe("reveal");
    await market.mine(1_023);
    expect(market.resent).toEqual([["0xreveal"]]);
    market.listed = [ours({ index: 0, revealed: true })];
    await market.mine(1_024);
    expect(actions()).toEqual(["assert", "reveal"]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("is made up for when the block that seemed to close the window was none of this chain", async () => {
    market.settling = [{ kind: "failed", reason: "No Quorum and vote active", retryable: true }];
    market.listed = [ours({ index: 0 })];
    market.revealing = [LATE, { kind: "done", value: undefined }];
    await market.mine(1_500);
    await market.mine(1_501);
    await market.mine(1_020);
    expect(actions()).toEqual(["assert", "reveal", "settle", "reveal"]);
    expect(ledger.summary()).toMatchObject({ revealed: 1, revealsMissed: 0 });
  });

  it("is handed over again as it was signed when the run that signed it died", async () => {
    market.reveal = async (_request, journal) => {
      await journal([transactionOf(signed("0xreveal", 9n))]);
      return new Promise(() => {});
    };
    await market.mine(1_020);
    expect(ledger.find(key)?.state).toBe("revealing");
    market.resending = [{ kind: "sent" }];
    openDuties().resume();
    await market.mine(1_021);
    expect(market.resent).toContainEqual(["0xreveal"]);
    market.listed = [ours({ index: 0, revealed: true })];
    await market.mine(1_022);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("is signed anew at once when what was signed can never be mined", async () => {
    market.revealing = [
      { kind: "unknown", reason: "no receipt" },
      { kind: "done", value: undefined },
    ];
    market.resending = [{ kind: "void", reason: "another transaction has the nonce" }];
    market.listed = [ours({ index: 0 })];
    await market.mine(1_020);
    await market.mine(1_021);
    expect(actions()).toEqual(["assert", "reveal", "reveal"]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("is not written off in the last block of the window, which the market may not have looked at yet", async () => {
    market.revealing = [{ kind: "unknown", reason: "no receipt" }];
    market.listed = [ours({ index: 0 })];
    await market.mine(1_028);
    await market.mine(1_029);
    expect(ledger.find(key)?.revealMissed).toBe(false);
    market.listed = [ours({ index: 0, revealed: true })];
    await market.mine(1_030);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("is done at once when the window seemed closed by the event stream and the marketplace says it is open", async () => {
    market.fresh = async () => 1_021;
    await market.mine(1_100);
    expect(actions()).toEqual(["assert", "reveal"]);
    expect(ledger.find(key)).toMatchObject({ state: "revealed", revealMissed: false });
  });

  it("is not written off while the marketplace cannot be asked for its newest block, but not for ever", async () => {
    market.fresh = () => Promise.reject(new Error("HTTP 500"));
    market.listed = [ours({ index: 0 })];
    market.revealing = [LATE];
    await market.mine(1_049);
    expect(actions()).toEqual(["assert"]);
    await market.mine(1_050);
    await market.mine(1_051);
    expect(ledger.find(key)?.revealMissed).toBe(true);
  });

  it.each([0, 1])("is done although the market once tells a window of %i blocks", async (revealWindow) => {
    market.listed = [ours({ index: 0 })];
    market.parameters = () => ({ ...someParameters, revealWindow });
    market.anew = async () => someParameters;
    for (const number of [1_018, 1_019, 1_020, 1_021]) await market.mine(number);
    expect(ledger.find(key)).toMatchObject({ state: "revealed", revealMissed: false });
  });

  it("is tried all the same, once, when window and block are too late by every answer of the market", async () => {
    market.listed = [ours({ index: 0 })];
    market.parameters = () => ({ ...someParameters, revealWindow: 0 });
    await market.mine(1_020);
    expect(actions()).toEqual(["assert", "reveal"]);
    expect(ledger.find(key)).toMatchObject({ state: "revealed", revealMissed: false });
  });

  it("is not tried for ever where the market names the same block for ever", async () => {
    market.listed = [ours({ index: 0 })];
    market.revealing = [LATE];
    market.fresh = async () => 1_021;
    for (let number = 1_040; number < 1_060; number++) await market.mine(number);
    expect(actions().filter((what) => what === "reveal").length).toBeLessThan(6);
    expect(ledger.find(key)?.revealMissed).toBe(true);
  });

  it("is handed over again when a reorganisation deeper than the second look took it back, before the window closes", async () => {
    market.resending = [{ kind: "sent" }];
    await duties.take(GUID, 0);
    market.listed = [ours({ index: 0, revealed: true })];
    for (let number = 1_020; number < 1_026; number++) await market.mine(number);
    expect(market.resent).toEqual([]);
    market.listed = [ours({ index: 0 })];
    for (let number = 1_026; number < 1_029; number++) await market.mine(number);
    expect(market.resent).toContainEqual(ledger.lastEntries(key, "reveal").map(({ reference }) => reference));
  });

  it("is handed over again when its block was taken back", async () => {
    await market.mine(1_020);
    market.listed = [ours({ index: 0 })];
    market.resending = [{ kind: "sent" }];
    await market.mine(1_023);
    expect(told.at(-2)).toMatchObject({ event: "assertion.vanished", facts: { what: "reveal" } });
    expect(market.resent).toEqual([ledger.lastEntries(key, "reveal").map(({ reference }) => reference)]);
    market.listed = [ours({ index: 0, revealed: true })];
    for (const number of [1_024, 1_025, 1_026]) await market.mine(number);
    expect(market.resent).toHaveLength(1);
    expect(actions()).toEqual(["assert", "reveal"]);
  });

  it("is signed anew when its block was taken back and another took the account nonce", async () => {
    await market.mine(1_020);
    market.listed = [ours({ index: 0 })];
    market.resending = [{ kind: "void", reason: "another transaction has the nonce" }];
    await market.mine(1_023);
    expect(ledger.references(key, "reveal")).toHaveLength(2);
    expect(ledger.find(key)?.state).toBe("revealed");
    expect(told.map(({ event }) => event)).not.toContain("duty.failed");
  });

  it("is written down as missed when the window closed, and the bounty settled all the same", async () => {
    market.revealing = [LATE];
    market.listed = [ours({ index: 0 })];
    await market.mine(1_029);
    await market.mine(1_030);
    expect(told.map(({ event }) => event)).toContain("assertion.reveal-missed");
    expect(actions()).toEqual(["assert", "reveal"]);
    market.given = [{ voter: aBounty().author, votes: 0b11n }];
    market.settling = [{ kind: "done", value: { payout: nct(0n) } }];
    await settleAt(1_130);
    expect(actions()).toEqual(["assert", "reveal", "settle"]);
    expect(ledger.summary()).toMatchObject({ asserted: 1, revealed: 0, settled: 1, revealsMissed: 1 });
  });
});

it("a metadata store that fails does not delay the reveal, which then carries the metadata itself", async () => {
  market.publishing = () => Promise.reject(new Error("no store"));
  await duties.take(GUID, 0);
  for (const number of [1_001, 1_003, 1_007, 1_008, 1_015, 1_016, 1_020]) await market.mine(number);
  expect(actions()).toEqual(["assert", "reveal"]);
  expect(JSON.parse(market.reveals[0]!.metadata)).toEqual(aPlan().metadata);
  // It was tried less and less often.
  expect(market.asked.filter((what) => what === "publish")).toHaveLength(6);
});

it("a metadata store that never answers does not delay the reveal either", async () => {
  market.publishing = hanging;
  void duties.take(GUID, 0);
  await market.mine(1_019);
  await market.mine(1_020);
  // The last attempt to store it is cut short by the clock.
  await expect.poll(actions).toEqual(["assert", "reveal"]);
  expect(JSON.parse(market.reveals[0]!.metadata)).toEqual(aPlan().metadata);
});

it("an assertion whose receipt does not come is looked for on the market when its reveal is due", async () => {
  market.confirming = hanging;
  void duties.take(GUID, 0);
  market.listed = [ours()];
  await market.mine(1_019);
  expect(ledger.find(key)?.state).toBe("posting");
  await market.mine(1_020);
  expect(actions()).toEqual(["assert", "reveal"]);
  expect(ledger.find(key)?.state).toBe("revealed");
});

it("the profit is counted with the fee that was paid in the end, not with the planned one", async () => {
  market.fee = nct(7n);
  await duties.take(GUID, 0);
  await market.mine(1_020);
  decided();
  await settleAt(1_130);
  const profit = OWED - aPlan().stake - 7n;
  expect(ledger.summary().profit).toBe(profit);
  expect(told.at(-1)?.facts).toMatchObject({ profit: formatNct(profit) });
});

describe("settling", () => {
  beforeEach(async () => {
    await duties.take(GUID, 0);
    await market.mine(1_020);
    expect(ledger.find(key)?.state).toBe("revealed");
    decided();
  });

  it("asks nothing about a quorum on a bounty that is not ours", async () => {
    const before = market.asked.length;
    market.tell("quorum", { guid: parseGuid("00000000-0000-4000-8000-000000000001") });
    await new Promise((resolve) => setImmediate(resolve));
    expect(market.asked.slice(before)).toEqual([]);
  });

  it("happens at quorum, and writes down what was paid and what the truth was", async () => {
    market.quorum = true;
    market.tell("quorum", { guid: GUID });
    await settleAt(1_031);
    expect(actions().at(-1)).toBe("settle");
    expect(ledger.summary()).toMatchObject({
      settled: 1,
      profit: OWED - aPlan().stake - aPlan().fee,
      right: 1,
      wrong: 1,
    });
    expect(duties.open()).toBe(0);
  });

  it("is not sent on the word of an event: the marketplace is asked for the quorum, a few times", async () => {
    market.tell("quorum", { guid: GUID });
    for (let number = 1_029; number < 1_060; number++) {
      await market.mine(number);
      market.tell("quorum", { guid: parseGuid("00000000-0000-4000-8000-000000000001") });
    }
    expect(actions()).toEqual(["assert", "reveal"]);
    expect(market.asked.filter((what) => what === "quorum")).toHaveLength(3);
    // It is known when a node that was behind has caught up, or at the end of the vote window.
    await settleAt(1_130);
    expect(ledger.find(key)?.state).toBe("settled");
  });

  it("counts a refusal because it was settled already as settled", async () => {
    market.settling = [{ kind: "failed", reason: "reverted: Sender already settled", retryable: false }];
    await settleAt(1_130);
    expect(ledger.find(key)?.state).toBe("settled");
    // What nobody knows is neither won nor lost.
    expect(told.at(-1)?.facts).toMatchObject({ profit: "unknown" });
    expect(ledger.summary().profit).toBe(0n);
  });

  it("learns from the market's announcement what it was paid when another finds the bounty settled", async () => {
    market.settling = [{ kind: "failed", reason: "reverted: Sender already settled", retryable: false }];
    market.tell("settled", { guid: GUID, settler: market.account, payout: OWED });
    await settleAt(1_130);
    expect(ledger.assertion(key)?.payout).toBe(OWED);
  });

  it("learns from its earlier transaction what it was paid when another finds the bounty settled", async () => {
    market.settling = [{ kind: "failed", reason: "reverted: Sender already settled", retryable: false }];
    market.fates = [{ kind: "done", value: { payout: nct(5n) } }];
    await settleAt(1_130);
    expect(ledger.assertion(key)?.payout).toBe(5n);
  });

  it("is handed over again as it was signed while nobody has seen it", async () => {
    market.settling = [{ kind: "unknown", reason: "no receipt" }];
    market.resending = [{ kind: "sent" }];
    await market.mine(1_130);
    await duties.stop();
    openDuties().resume();
    await market.mine(1_131);
    expect(market.resent).toEqual([ledger.lastEntries(key, "settle").map(({ reference }) => reference)]);
    expect(actions().filter((what) => what === "settle")).toHaveLength(1);
  });

  it("is signed anew at once when what was signed can never be mined", async () => {
    market.settling = [
      { kind: "unknown", reason: "no receipt" },
      { kind: "done", value: { payout: OWED } },
    ];
    market.resending = [{ kind: "void", reason: "another transaction has the nonce" }];
    await market.mine(1_130);
    await settleAt(1_131);
    expect(ledger.assertion(key)?.payout).toBe(OWED);
  });

  it("is believed on the market's announcement where nobody can be asked for receipts", async () => {
    market.settling = [{ kind: "unknown", reason: "a proxy drops the bodies of GET requests" }];
    await market.mine(1_130);
    market.tell("settled", { guid: GUID, settler: aBounty().author, payout: nct(9n) });
    await market.mine(1_131);
    expect(ledger.find(key)?.state).toBe("settling");
    market.tell("settled", { guid: GUID, settler: market.account, payout: OWED });
    await settleAt(1_132);
    expect(ledger.find(key)?.state).toBe("settled");
    expect(ledger.assertion(key)?.payout).toBe(OWED);
  });

  it("does not wait for the vote window after a quorum that an earlier run, or a cut stream, kept us from hearing of", async () => {
    for (let number = 1_021; number <= 1_040; number++) await market.mine(number);
    expect(market.asked).not.toContain("quorum");
    market.tell("connected");
    await market.mine(1_041);
    await market.mine(1_042);
    expect(market.asked.filter((what) => what === "quorum")).toHaveLength(1);
    await duties.stop();
    market.quorum = true;
    openDuties().resume();
    await settleAt(1_043);
    expect(ledger.find(key)?.state).toBe("settled");
  });

  it("does not wait for the vote window after a quorum in blocks that the stream skipped", async () => {
    for (let number = 1_021; number <= 1_034; number++) await market.mine(number);
    expect(market.asked).not.toContain("quorum");
    market.quorum = true;
    await settleAt(1_036);
    expect(ledger.find(key)?.state).toBe("settled");
  });

  it("asks for a quorum once in five blocks at most, however often the stream skips one", async () => {
    for (let number = 1_040; number < 1_060; number += 2) await market.mine(number);
    expect(market.asked.filter((what) => what === "quorum")).toHaveLength(4);
  });

  it("is sent anew when nobody has seen it for long, because nodes lose transactions", async () => {
    market.settling = [
      { kind: "unknown", reason: "no receipt" },
      { kind: "done", value: { payout: OWED } },
    ];
    for (let number = 1_130; number < 1_140; number++) await market.mine(number);
    expect(actions().filter((what) => what === "settle")).toHaveLength(1);
    for (let number = 1_140; number < 1_170; number++) await market.mine(number);
    expect(actions().filter((what) => what === "settle")).toHaveLength(2);
    expect(ledger.find(key)?.state).toBe("settled");
  });

  it("is tried again with growing pauses when it fails", async () => {
    market.settling = [{ kind: "failed", reason: "No Quorum and vote active", retryable: true }];
    market.fates = [{ kind: "failed", reason: "No Quorum and vote active", retryable: true }];
    for (let number = 1_130; number < 1_146; number++) await market.mine(number);
    expect(actions().filter((what) => what === "settle").length).toBe(5);
    expect(duties.failing()).toBe(1);
    market.settling = [{ kind: "done", value: { payout: OWED } }];
    await market.mine(1_200);
    market.fates = [{ kind: "unknown", reason: "nobody knows" }];
    await market.mine(1_203);
    expect(duties.failing()).toBe(0);
    expect(ledger.find(key)?.state).toBe("settled");
  });

  it("is taken up by the next run, which looks for the payout before it settles again", async () => {
    market.settling = [{ kind: "unknown", reason: "no receipt" }];
    await market.mine(1_130);
    await duties.stop();
    market.fates = [{ kind: "done", value: { payout: OWED } }];
    const nextRun = openDuties();
    expect(nextRun.resume()).toBe(1);
    await settleAt(1_131);
    expect(actions().filter((what) => what === "settle")).toHaveLength(1);
    expect(ledger.assertion(key)?.payout).toBe(OWED);
  });
});

describe("with many bounties", () => {
  const guidOf = (number: number) => parseGuid(`3c6f0a52-9d41-4b7e-8f10-${String(number).padStart(12, "0")}`);

  /** Bounties like the first, in the state that `lead` brings them to. */
  const many = (count: number, lead: (key: BountyKey) => void) => {
    for (let number = 0; number < count; number++) {
      const other = { market: "side", guid: guidOf(number) } as const;
      ledger.see(aBounty({ guid: other.guid }));
      ledger.recordTriage(other, ["scan", "scan"]);
      ledger.recordOpinions(other, [null, null], []);
      ledger.planAssertion(other, aPlan());
      lead(other);
    }
  };

  it("a start settles a few at a time, and holds up neither a post nor a reveal", async () => {
    many(100, (other) => {
      ledger.journal(other, "assert", [signed(`0xassert-${other.guid}`)]);
      ledger.recordAsserted(other, 0);
      ledger.recordRevealed(other);
      ledger.recordQuorum(other);
    });
    market.settle = async () => {
      market.asked.push("settle");
      return hanging();
    };
    expect(duties.resume()).toBe(101);
    await duties.take(GUID, 0);
    await market.mine(1_020);
    expect(actions().filter((what) => what === "settle")).toHaveLength(40);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("one that is found ready to settle leaves its place to the next that asks", async () => {
    many(20, (other) => {
      ledger.journal(other, "assert", [signed(`0xassert-${other.guid}`)]);
      ledger.recordAsserted(other, 0);
      ledger.recordRevealed(other);
    });
    market.quorum = true;
    market.settle = async () => {
      market.asked.push("settle");
      return hanging();
    };
    await market.mine(1_031);
    duties.resume();
    await expect.poll(() => actions().filter((what) => what === "settle").length).toBe(20);
  });

  it("a start looks for its posts a few at a time, and new posts and settlements do not wait for that", async () => {
    many(100, (other) => ledger.journal(other, "assert", [signed(`0xassert-${other.guid}`)]));
    market.assertions = () => {
      market.asked.push("assertions");
      return new Promise(() => {});
    };
    duties.resume();
    await expect.poll(() => ledger.find(key)?.state).toBe("asserted");
    expect(market.asked.filter((what) => what === "assertions")).toHaveLength(16);
    market.quorum = true;
    await market.mine(1_020);
    market.tell("quorum", { guid: GUID });
    await market.mine(1_030);
    expect(ledger.find(key)?.state).toBe("settling");
  });

  it("a start looks for its reveals a few at a time, until the window is about to close", async () => {
    many(100, (other) => {
      ledger.journal(other, "assert", [signed(`0xassert-${other.guid}`)]);
      ledger.recordAsserted(other, 0);
      ledger.journal(other, "reveal", [signed(`0xreveal-${other.guid}`)]);
    });
    market.assertions = () => {
      market.asked.push("assertions");
      return new Promise(() => {});
    };
    const looks = () => market.asked.filter((what) => what === "assertions").length;
    await market.mine(1_020);
    duties.resume();
    expect(looks()).toBe(16);
    await market.mine(1_024);
    expect(looks()).toBe(16);
    await market.mine(1_025);
    expect(looks()).toBe(100);
  });

  it("a post of an earlier run that waits to be looked for waits no longer when its reveal is due", async () => {
    many(20, (other) => ledger.journal(other, "assert", [signed(`0xassert-${other.guid}`)]));
    const last = { market: "side", guid: guidOf(19) } as const;
    const listed = [ours({ guid: last.guid, index: 2 })];
    market.assertions = async (guid) => (guid === last.guid ? listed : hanging());
    duties.resume();
    await market.mine(1_010);
    expect(ledger.find(last)?.state).toBe("posting");
    await market.mine(1_020);
    expect(market.reveals).toContainEqual(expect.objectContaining({ guid: last.guid, index: 2 }));
    expect(ledger.find(last)?.state).toBe("revealed");
  });

  it("that all ended while we were away, the newest block is asked for once and each of them written off", async () => {
    many(100, () => {});
    await market.mine(1_019);
    duties.resume();
    await expect.poll(() => duties.open()).toBe(0);
    expect(market.asked).toEqual(["status"]);
    expect(ledger.summary().byState).toEqual({ abandoned: 101 });
  });
});

it("ten thousand bounties are taken up in seconds, and a block costs them next to nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "duties-"));
  const db = openLedgerFile(join(folder, "ledger.sqlite"));
  ledger = ledgerOn(db, clock);
  db.exec("BEGIN");
  for (let number = 0; number < 10_000; number++) {
    const other = {
      market: "side",
      guid: parseGuid(`3c6f0a52-9d41-4b7e-8f10-${String(number).padStart(12, "0")}`),
    } as const;
    ledger.see(aBounty({ guid: other.guid }));
    ledger.recordTriage(other, ["scan", "scan"]);
    ledger.recordOpinions(other, [null, null], []);
    ledger.planAssertion(other, aPlan());
    ledger.journal(other, "assert", [signed(`0xassert-${number}`)]);
    ledger.recordAsserted(other, 0);
    ledger.recordMetadataUri(other, "QmMetadata");
  }
  db.exec("COMMIT");
  // Of the processor: how long it took on the clock depends on who else is at work.
  const spentMs = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  };
  const started = spentMs();
  duties = openDuties();
  expect(duties.resume()).toBe(10_000);
  const resumed = spentMs();
  market.tell("block", { number: block(1_001) });
  const considered = spentMs();
  // A tenth of each on an idle machine.
  expect(resumed - started).toBeLessThan(3_000);
  expect(considered - resumed).toBeLessThan(200);
  expect(market.asked).toEqual([]);
  await duties.stop();
  ledger[Symbol.dispose]();
  await rm(folder, { recursive: true });
});

describe("a ledger that takes no writes", () => {
  let db: DatabaseSync;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "duties-"));
    db = openLedgerFile(join(folder, "ledger.sqlite"));
    ledger = ledgerOn(db, clock);
    plan();
    duties = openDuties();
  });

  afterEach(async () => {
    ledger[Symbol.dispose]();
    await rm(folder, { recursive: true });
  });

  const refuseWrites = () => db.exec("PRAGMA query_only = ON");
  const takeWrites = () => db.exec("PRAGMA query_only = OFF");
  const toldOf = (name: string) => told.filter(({ event }) => event === name);

  it("promises nothing, says so once, and posts when it takes writes again and there is time", async () => {
    refuseWrites();
    await duties.take(GUID, 0);
    await market.mine(1_001);
    expect(ledger.references(key, "assert")).toEqual([]);
    expect(duties.ledgerWritable()).toBe(false);
    expect(toldOf("ledger.unwritable")).toHaveLength(1);
    takeWrites();
    await market.mine(1_002);
    expect(duties.ledgerWritable()).toBe(true);
    expect(toldOf("ledger.writable")).toHaveLength(1);
    expect(ledger.find(key)?.state).toBe("asserted");
  });

  it("keeps nobody from revealing and settling, each once, and is brought up to date afterwards", async () => {
    await duties.take(GUID, 0);
    refuseWrites();
    for (let number = 1_001; number < 1_030; number++) await market.mine(number);
    decided();
    for (let number = 1_030; number < 1_140; number++) await market.mine(number);
    expect(actions()).toEqual(["assert", "reveal", "settle"]);
    expect(duties.open()).toBe(0);
    expect(ledger.find(key)?.state).toBe("asserted");
    takeWrites();
    await market.mine(1_140);
    expect(ledger.find(key)?.state).toBe("settled");
    expect(ledger.assertion(key)?.payout).toBe(OWED);
    expect(ledger.references(key, "reveal")).toHaveLength(1);
    expect(duties.ledgerWritable()).toBe(true);
  });

  it("does not make a lost answer a second reveal: the same bytes are handed over from memory", async () => {
    await duties.take(GUID, 0);
    refuseWrites();
    market.revealing = [{ kind: "unknown", reason: "no receipt" }];
    market.resending = [{ kind: "sent" }];
    await market.mine(1_020);
    await market.mine(1_021);
    expect(actions()).toEqual(["assert", "reveal"]);
    expect(market.resent).toEqual([[expect.stringContaining("0xreveal")]]);
    market.listed = [ours({ index: 0, revealed: true })];
    await market.mine(1_022);
    takeWrites();
    await market.mine(1_023);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("reveals an assertion whose place it could not write down", async () => {
    market.confirming = async () => void refuseWrites();
    await duties.take(GUID, 0);
    expect(ledger.find(key)?.state).toBe("posting");
    await market.mine(1_020);
    expect(actions()).toEqual(["assert", "reveal"]);
    takeWrites();
    await market.mine(1_021);
    expect(ledger.find(key)?.state).toBe("revealed");
    expect(ledger.assertion(key)?.index).toBe(0);
  });

  it("lets go of what is too late all the same", async () => {
    refuseWrites();
    await market.mine(1_019);
    duties.resume();
    await market.mine(1_019);
    expect(duties.open()).toBe(0);
    await market.mine(1_020);
    takeWrites();
    await market.mine(1_021);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "too-late" });
  });

  it("hears of a quorum, and settles", async () => {
    await duties.take(GUID, 0);
    await market.mine(1_020);
    refuseWrites();
    market.quorum = true;
    market.tell("quorum", { guid: GUID });
    await market.mine(1_031);
    expect(actions()).toEqual(["assert", "reveal", "settle"]);
  });

  it("costs nothing twice when the process dies before it takes writes again", async () => {
    await duties.take(GUID, 0);
    refuseWrites();
    await market.mine(1_020);
    await duties.stop();
    takeWrites();
    openDuties().resume();
    // The contract takes one reveal; the market client reports a second as done.
    await market.mine(1_021);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("that is full for new pages refuses with an error that is the disk's, and works on when there is room", () => {
    const count = Object.values(db.prepare("PRAGMA page_count").get()!)[0];
    db.exec(`PRAGMA max_page_count = ${count}`);
    const large = { ...signed("0xlarge"), bytes: "f".repeat(100_000) };
    expect(() => ledger.journal(key, "assert", [large])).toThrowError(
      expect.toSatisfy((error: unknown) => isDiskTrouble(error)),
    );
    expect(ledger.find(key)?.state).toBe("planned");
    db.exec("PRAGMA max_page_count = 100000");
    ledger.journal(key, "assert", [large]);
    expect(ledger.lastEntries(key, "assert")).toEqual([large]);
  });
});
