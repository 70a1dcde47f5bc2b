import { beforeEach, describe, expect, it } from "vitest";
import { type Clock, instant } from "../../src/domain/instant.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import type { PostedAssertion } from "../../src/market/onchain/port/marketplace.ts";
import type { Duties } from "../../src/producer/duties/duties.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import { aBounty, aPlan, GUID } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";

// The bounty expires in block 1020; reveals until 1029, votes until 1129. A second a block.
const key = { market: "side", guid: GUID } as const;
const clock: Clock = { now: () => instant(Date.now()) };

let market: HandMarket;
let ledger: Ledger;
let told: { event: string; facts: object }[];
let duties: Duties;
/** Answers that are still to be given, the oldest first. */
let looks: PromiseWithResolvers<readonly PostedAssertion[]>[];
let receipt: PromiseWithResolvers<void>;

const actions = () => market.asked.filter((what) => ["assert", "reveal", "settle"].includes(what));
const toldOf = (name: string) => told.filter(({ event }) => event === name).map(({ facts }) => facts);
const settle = () => new Promise((resolve) => setImmediate(resolve));

const ours = (index = 4): PostedAssertion => ({
  guid: GUID,
  author: market.account,
  index,
  revealed: false,
  bids: aPlan().bids,
  mask: aPlan().mask,
  commitment: aPlan().commitment,
});

const pass = async (from: number, to: number) => {
  for (let number = from; number <= to; number++) await market.mine(number);
};

beforeEach(() => {
  market = new HandMarket();
  ledger = openLedger(":memory:", clock);
  told = [];
  looks = [];
  receipt = Promise.withResolvers();
  ledger.see(aBounty());
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(key, [null, null], []);
  ledger.planAssertion(key, aPlan());
  // No receipt, and no list, before the test says so.
  market.confirming = () => receipt.promise;
  market.assertions = () => {
    market.asked.push("assertions");
    const look = Promise.withResolvers<readonly PostedAssertion[]>();
    looks.push(look);
    return look.promise;
  };
  duties = onchainDuties({
    market,
    ledger,
    clock,
    steadyMs: () => market.head() * 1_000,
    reservations: new BalanceReservations(() => market.balance(), clock),
    tell: (event, facts) => void told.push({ event, facts }),
  });
  duties.listen();
  void duties.take(GUID, 0);
});

describe("while the post is still to be confirmed", () => {
  it("the reveal goes to the place that the event stream names, and the receipt that comes later changes nothing", async () => {
    market.tell("assertion", ours());
    await pass(1_001, 1_020);
    expect(market.reveals).toMatchObject([{ index: 4, nonce: aPlan().nonce }]);
    expect(ledger.find(key)?.state).toBe("revealed");
    expect(ledger.assertion(key)?.index).toBe(4);
    market.asserting = [{ kind: "done", value: { index: 4 } }];
    receipt.resolve();
    await settle();
    expect(ledger.find(key)?.state).toBe("revealed");
    expect(toldOf("assertion.posted")).toHaveLength(1);
    expect(toldOf("duty.failed")).toEqual([]);
  });

  it("the reveal takes its place from the list as soon as that is answered", async () => {
    await pass(1_001, 1_020);
    expect(actions()).toEqual(["assert"]);
    looks[0]!.resolve([ours(2)]);
    await settle();
    expect(market.reveals).toMatchObject([{ index: 2 }]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("the reveal takes its place from the receipt should that come first", async () => {
    await pass(1_001, 1_020);
    market.asserting = [{ kind: "done", value: { index: 6 } }];
    receipt.resolve();
    await settle();
    await pass(1_021, 1_022);
    expect(market.reveals).toMatchObject([{ index: 6 }]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("a look that takes longer than anyone waits for it is joined, not called off and begun again", async () => {
    await pass(1_001, 1_023);
    expect(looks).toHaveLength(1);
    looks[0]!.resolve([ours(3)]);
    await settle();
    expect(market.reveals).toMatchObject([{ index: 3 }]);
  });

  it("and nobody says where the assertion stands, the reveal is tried at every place before the window closes", async () => {
    market.revealing = [
      { kind: "failed", reason: "reverted: Incorrect assertion author", retryable: false },
      { kind: "failed", reason: "reverted: Incorrect assertion author", retryable: false },
      { kind: "done", value: undefined },
      { kind: "failed", reason: "reverted: Incorrect assertion author", retryable: false },
    ];
    await pass(1_001, 1_028);
    expect(market.reveals.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(ledger.find(key)?.state).toBe("revealed");
    expect(ledger.assertion(key)?.index).toBe(2);
    expect(toldOf("assertion.posted")).toMatchObject([{ index: 2 }]);
  });

  it("a false word of the event stream about its place costs one reveal", async () => {
    market.tell("assertion", ours(9));
    market.revealing = [
      { kind: "failed", reason: "reverted: Incorrect assertion author", retryable: false },
      { kind: "done", value: undefined },
    ];
    await pass(1_001, 1_021);
    looks.at(-1)!.resolve([ours(1)]);
    await settle();
    expect(market.reveals.map(({ index }) => index)).toEqual([9, 1]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("nobody else's assertion, nor one with another commitment, says where ours stands", async () => {
    market.tell("assertion", { ...ours(9), commitment: 1n });
    market.tell("assertion", { ...ours(9), author: aBounty().author });
    await pass(1_001, 1_021);
    expect(market.reveals).toEqual([]);
  });
});

describe("a list that leaves our assertion out, where there is no receipt and no word of the stream", () => {
  const refused = { kind: "failed", reason: "Incorrect assertion author", retryable: false } as const;
  const others = (...indices: readonly number[]) =>
    indices.map((index) => ({ ...ours(index), author: aBounty().author }));
  const list = async (posted: readonly PostedAssertion[]) => {
    market.assertions = async () => posted;
    await settle();
  };
  const tried = () => market.reveals.map(({ index }) => index);

  it("is not believed for the whole window: the reveal is tried next to what it shows before the window closes", async () => {
    await list(others(0, 1, 2));
    market.revealing = [refused, { kind: "done", value: undefined }, refused];
    await pass(1_001, 1_024);
    expect(tried()).toEqual([]);
    await pass(1_025, 1_025);
    expect(tried()).toEqual([3, 2, 4, 1, 5, 0, 6, 7]);
    expect(ledger.find(key)?.state).toBe("revealed");
    expect(ledger.assertion(key)?.index).toBe(2);
  });

  it("with a gap, or with a row of ours that says something else, is tried there first", async () => {
    await list([...others(0, 1, 3), { ...ours(4), commitment: 1n }]);
    market.revealing = [refused];
    await pass(1_001, 1_025);
    expect(tried().slice(0, 2)).toEqual([4, 2]);
  });

  it("is tried at other places at each block, never twice at one, and at no more than 64", async () => {
    await list([]);
    market.revealing = [refused];
    await pass(1_001, 1_028);
    expect(tried().length).toBe(32);
    expect(new Set(tried()).size).toBe(32);
    await pass(1_029, 1_060);
    expect(tried().length).toBeLessThanOrEqual(64);
  });

  it("costs nothing when the count of our transactions shows that the post was never mined", async () => {
    await list([]);
    market.minedCounting = async () => 0n;
    market.resending = [{ kind: "void", reason: "another transaction has the nonce" }];
    await pass(1_001, 1_028);
    expect(actions()).toEqual(["assert"]);
  });

  it("is tried all the same where that count cannot be had", async () => {
    await list([]);
    market.minedCounting = () => Promise.reject(new Error("Bad Gateway"));
    market.revealing = [{ kind: "done", value: undefined }];
    await pass(1_001, 1_025);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("is tried all the same where that count is never answered", async () => {
    await list([]);
    market.minedCounting = () => new Promise(() => {});
    market.revealing = [{ kind: "done", value: undefined }];
    await pass(1_001, 1_028);
    expect(ledger.find(key)?.state).toBe("revealed");
  });
});

describe("a place that a receipt named and where the contract finds another's assertion", () => {
  it("is given up for others before the window closes when no list says better", async () => {
    market.asserting = [{ kind: "done", value: { index: 9 } }];
    receipt.resolve();
    market.assertions = async () => [];
    const refused = { kind: "failed", reason: "Incorrect assertion author", retryable: false } as const;
    market.revealing = [refused];
    await pass(1_001, 1_024);
    const before = market.reveals.length;
    expect(new Set(market.reveals.map(({ index }) => index))).toEqual(new Set([9]));
    market.revealing = [refused, refused, { kind: "done", value: undefined }, refused];
    await pass(1_025, 1_025);
    expect(market.reveals.slice(before).map(({ index }) => index)).toEqual([9, 0, 1, 2, 3, 4, 5, 6]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });
});

describe("a confirmation that takes longer than a block", () => {
  beforeEach(async () => {
    market.asserting = [{ kind: "unknown", reason: "no receipt" }];
    receipt.resolve();
    await settle();
    expect(ledger.find(key)?.state).toBe("posting");
  });

  it("is not called off when the reveal is due, and is what the reveal waits for no more", async () => {
    await pass(1_019, 1_022);
    // One for the confirmation, one for the reveal, neither of them aborted or asked again.
    expect(looks).toHaveLength(2);
    looks[0]!.resolve([ours(5)]);
    await pass(1_023, 1_024);
    expect(market.reveals).toMatchObject([{ index: 5 }]);
    expect(ledger.find(key)?.state).toBe("revealed");
  });

  it("is tried again after longer and longer pauses, four blocks at most, each told of", async () => {
    market.assertions = async () => {
      market.asked.push("assertions");
      return [];
    };
    await pass(1_001, 1_019);
    const failures = toldOf("duty.failed").filter(
      (facts) => "duty" in facts && facts.duty === "confirm-post",
    );
    expect(failures.length).toBe(market.asked.filter((what) => what === "assertions").length);
    expect(failures).toHaveLength(6);
  });
});

describe("what is overdue", () => {
  it("is told once for each stage, and counted until it is done", async () => {
    await pass(1_001, 1_019);
    expect(duties.overdue()).toEqual({ post: 1, reveal: 0, settle: 0 });
    await pass(1_020, 1_024);
    expect(duties.overdue()).toEqual({ post: 0, reveal: 1, settle: 0 });
    expect(toldOf("duty.overdue")).toMatchObject([
      { guid: GUID, duty: "post", state: "posting", late: 10 },
      { guid: GUID, duty: "reveal", state: "posting", late: 3 },
    ]);
    looks[0]!.resolve([ours()]);
    await settle();
    expect(duties.overdue()).toEqual({ post: 0, reveal: 0, settle: 0 });
    market.settling = [{ kind: "unknown", reason: "no receipt" }];
    await pass(1_130, 1_145);
    expect(duties.overdue()).toEqual({ post: 0, reveal: 0, settle: 1 });
    expect(toldOf("duty.overdue")).toHaveLength(3);
  });

  it("is nothing on a market that answers", async () => {
    market.assertions = async () => [ours()];
    market.asserting = [{ kind: "done", value: { index: 4 } }];
    receipt.resolve();
    await pass(1_001, 1_029);
    expect(ledger.find(key)?.state).toBe("revealed");
    expect(toldOf("duty.overdue")).toEqual([]);
  });
});

it("an assertion that is not signed by the expiration is not signed any more", async () => {
  const other = new HandMarket();
  const late = openLedger(":memory:", clock);
  late.see(aBounty());
  late.recordTriage(key, ["scan", "scan"]);
  late.recordOpinions(key, [null, null], []);
  late.planAssertion(key, aPlan());
  const aborted = Promise.withResolvers<unknown>();
  other.assert = (_request, _journal, { signal } = {}) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => {
        aborted.resolve(signal.reason);
        reject(signal.reason);
      });
    });
  const slow = onchainDuties({
    market: other,
    ledger: late,
    clock,
    steadyMs: () => other.head() * 1_000,
    tell: () => {},
    reservations: new BalanceReservations(() => other.balance(), clock),
  });
  slow.listen();
  void slow.take(GUID, 0);
  for (let number = 1_001; number <= 1_020; number++) await other.mine(number);
  await expect(aborted.promise).resolves.toMatchObject({ code: "TOO_LATE" });
  await other.mine(1_021);
  expect(late.find(key)).toMatchObject({ state: "abandoned", reason: "too-late" });
});
