import { beforeEach, describe, expect, it } from "vitest";
import { type Clock, instant } from "../../src/domain/chain.ts";
import { formatNct, nct, ONE_NCT } from "../../src/domain/nct.ts";
import { type Ledger, openLedger } from "../../src/ledger/ledger.ts";
import type { PostedAssertion } from "../../src/market/port.ts";
import { Duties } from "../../src/producer/duties.ts";
import { Purse } from "../../src/producer/purse.ts";
import { aBounty, aPlan, GUID } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";

// The bounty expires in block 1020; reveals until 1029, votes until 1129.
const key = { chain: "side", guid: GUID } as const;
const clock: Clock = { now: () => instant(Date.now()) };

let market: HandMarket;
let ledger: Ledger;
let purse: Purse;
let told: { event: string; facts: object }[];
let duties: Duties;

const openDuties = () =>
  new Duties({ market, ledger, purse, clock, tell: (event, facts) => void told.push({ event, facts }) });

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

/** Never answers, but lets go when it is told to. */
const hanging = (signal?: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
  });

beforeEach(async () => {
  market = new HandMarket();
  ledger = openLedger(":memory:", clock);
  purse = new Purse(() => market.balance(), clock);
  told = [];
  await purse.refresh();
  ledger.see(aBounty());
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(key, [null, null], []);
  ledger.planAssertion(key, aPlan());
  purse.reserve(GUID, aPlan().stake);
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
    await duties.take(GUID, 0);
    await market.mine(1_003);
    await market.mine(1_028);
    expect(ledger.find(key)?.state).toBe("posting");
    await market.mine(1_029);
    expect(actions()).toEqual(["assert"]);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "post-failed" });
    expect(purse.available()).toBe(100n * ONE_NCT);
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
    purse = new Purse(() => market.balance(), clock);
    await purse.refresh();
    market.confirming = hanging;
    openDuties().resume();
    expect(purse.available()).toBe(100n * ONE_NCT - aPlan().stake - aPlan().fee);
  });

  it("gives up what was planned by an earlier run and can no longer be mined in time", async () => {
    await market.mine(1_019);
    duties.resume();
    await market.mine(1_019);
    expect(actions()).toEqual([]);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "too-late" });
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

  it("is made up for when the block that seemed to close the window was none of this chain", async () => {
    market.settling = [{ kind: "failed", reason: "No Quorum and vote active", retryable: true }];
    market.listed = [ours({ index: 0 })];
    await market.mine(1_500);
    await market.mine(1_020);
    expect(actions()).toEqual(["assert", "settle", "reveal"]);
    expect(ledger.summary()).toMatchObject({ revealed: 1, revealsMissed: 0 });
  });

  it("is written down as missed when the window closed, and the bounty settled all the same", async () => {
    await market.mine(1_029);
    expect(told.map(({ event }) => event)).toContain("assertion.reveal-missed");
    expect(actions()).toEqual(["assert"]);
    await market.mine(1_130);
    expect(actions()).toEqual(["assert", "settle"]);
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
  await expect.poll(actions, { timeout: 5_000 }).toEqual(["assert", "reveal"]);
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
  await market.mine(1_130);
  const profit = 3n * ONE_NCT - aPlan().stake - 7n;
  expect(ledger.summary().profit).toBe(profit);
  expect(told.at(-1)?.facts).toMatchObject({ profit: formatNct(profit) });
});

describe("settling", () => {
  beforeEach(async () => {
    await duties.take(GUID, 0);
    await market.mine(1_020);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("happens at quorum, and writes down what was paid and what the truth was", async () => {
    market.given = [{ voter: aBounty().author, votes: 0b11n }];
    market.tell("quorum", { guid: GUID });
    await market.mine(1_031);
    expect(actions().at(-1)).toBe("settle");
    expect(ledger.summary()).toMatchObject({
      settled: 1,
      profit: 3n * ONE_NCT - aPlan().stake - aPlan().fee,
      right: 1,
      wrong: 1,
    });
    expect(duties.open()).toBe(0);
  });

  it("counts a refusal because it was settled already as settled", async () => {
    market.settling = [{ kind: "failed", reason: "reverted: Sender already settled", retryable: false }];
    await market.mine(1_130);
    expect(ledger.find(key)?.state).toBe("settled");
    // What nobody knows is neither won nor lost.
    expect(told.at(-1)?.facts).toMatchObject({ profit: "unknown" });
    expect(ledger.summary().profit).toBe(0n);
  });

  it("learns from its earlier transaction what it was paid when another finds the bounty settled", async () => {
    market.settling = [{ kind: "failed", reason: "reverted: Sender already settled", retryable: false }];
    market.fates = [{ kind: "done", value: { payout: nct(5n) } }];
    await market.mine(1_130);
    expect(ledger.assertion(key)?.payout).toBe(5n);
  });

  it("is sent anew when nobody has seen it for long, because nodes lose transactions", async () => {
    market.settling = [
      { kind: "unknown", reason: "no receipt" },
      { kind: "done", value: { payout: nct(0n) } },
    ];
    for (let number = 1_130; number < 1_140; number++) await market.mine(number);
    expect(actions().filter((what) => what === "settle")).toHaveLength(1);
    for (let number = 1_140; number < 1_170; number++) await market.mine(number);
    expect(actions().filter((what) => what === "settle")).toHaveLength(2);
    expect(ledger.find(key)?.state).toBe("settled");
  });

  it("is tried again with growing pauses when it fails", async () => {
    market.settling = [{ kind: "failed", reason: "No Quorum and vote active", retryable: false }];
    market.fates = [{ kind: "failed", reason: "No Quorum and vote active", retryable: false }];
    for (let number = 1_130; number < 1_146; number++) await market.mine(number);
    expect(actions().filter((what) => what === "settle").length).toBe(5);
    expect(duties.failing()).toBe(1);
    market.settling = [{ kind: "done", value: { payout: nct(0n) } }];
    await market.mine(1_200);
    expect(duties.failing()).toBe(0);
    expect(ledger.find(key)?.state).toBe("settled");
  });

  it("is taken up by the next run, which looks for the payout before it settles again", async () => {
    market.settling = [{ kind: "unknown", reason: "no receipt" }];
    await market.mine(1_130);
    await duties.stop();
    market.fates = [{ kind: "done", value: { payout: nct(2n * ONE_NCT) } }];
    const nextRun = openDuties();
    expect(nextRun.resume()).toBe(1);
    await market.mine(1_131);
    expect(actions().filter((what) => what === "settle")).toHaveLength(1);
    expect(ledger.assertion(key)?.payout).toBe(2n * ONE_NCT);
  });
});
