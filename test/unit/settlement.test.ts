import { beforeEach, describe, expect, it } from "vitest";
import type { Guid } from "../../src/domain/guid.ts";
import { type Clock, instant } from "../../src/domain/instant.ts";
import { type Nct, nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import type { PostedAssertion } from "../../src/market/onchain/port/marketplace.ts";
import type { Duties } from "../../src/producer/duties/duties.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import { aBounty, aPlan, GUID } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";

// The bounty expires in block 1020; reveals until 1029, votes until 1129.
const key = { market: "side", guid: GUID } as const;
const clock: Clock = { now: () => instant(Date.now()) };
/** One of our two verdicts is the arbiter's: 1 NCT bid on it, and half of the reward. */
const OWED = nct((7n * ONE_NCT) / 2n);
const ABSURD = nct(2n ** 255n);

let market: HandMarket;
let ledger: Ledger;
let duties: Duties;
let told: { event: string; facts: object }[];
let settled: (readonly [Guid, Nct | null])[];

const ours = (more: Partial<PostedAssertion> = {}): PostedAssertion => {
  const { bids, mask, verdicts, commitment } = aPlan();
  const known = { guid: GUID, author: market.account, index: 0, bids, mask, commitment };
  return { ...known, revealed: true, verdicts, ...more };
};

const done = (payout: bigint) => ({ kind: "done", value: { payout: nct(payout) } }) as const;
const REFUSED = { kind: "failed", reason: "reverted: Sender already settled", retryable: false } as const;
const settlements = () => market.asked.filter((what) => what === "settle").length;
const toldOf = (name: string) => told.filter(({ event }) => event === name).map(({ facts }) => facts);
const mineTo = async (from: number, to: number) => {
  for (let number = from; number <= to; number++) await market.mine(number);
};

beforeEach(async () => {
  market = new HandMarket();
  ledger = openLedger(":memory:", clock);
  told = [];
  settled = [];
  ledger.see(aBounty());
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(key, [null, null], []);
  ledger.planAssertion(key, aPlan());
  const reservations = new BalanceReservations(() => market.balance(), clock);
  await reservations.refresh();
  duties = onchainDuties({
    market,
    ledger,
    reservations,
    clock,
    tell: (event, facts) => void told.push({ event, facts }),
    onSettled: (guid, payout) => settled.push([guid, payout]),
  });
  duties.listen();
  await duties.take(GUID, 0);
  market.listed = [ours()];
  market.given = [{ voter: aBounty().author, votes: 0b11n }];
  await market.mine(1_020);
});

describe("a settlement", () => {
  it("is written down only when it was looked at again three blocks later", async () => {
    await market.mine(1_130);
    expect(ledger.find(key)?.state).toBe("settling");
    await mineTo(1_131, 1_132);
    expect(ledger.find(key)?.state).toBe("settling");
    await market.mine(1_133);
    expect(ledger.find(key)?.state).toBe("settled");
    expect(ledger.assertion(key)?.payout).toBe(OWED);
    expect(settlements()).toBe(1);
  });

  it("is passed on once, with what it paid, when it is written down", async () => {
    await mineTo(1_130, 1_132);
    expect(settled).toEqual([]);
    await mineTo(1_133, 1_140);
    expect(settled).toEqual([[GUID, OWED]]);
  });

  it("is not believed on an empty receipt while our account nonce is not used, and handed over again until it is", async () => {
    const used = await market.minedCounting();
    market.minedCounting = async () => used;
    market.settling = [done(0n)];
    market.resending = [{ kind: "sent" }];
    await mineTo(1_130, 1_150);
    expect(ledger.find(key)?.state).toBe("settling");
    expect(market.resent.flat()).toContain(ledger.lastEntries(key, "settle")[0]?.reference);
    market.fates = [done(OWED)];
    market.minedCounting = async () => used + 10n;
    await mineTo(1_151, 1_200);
    expect(ledger.assertion(key)?.payout).toBe(OWED);
  });

  it("whose receipt shows no transfer though one is owed is asked of the contract, and its payout is unknown if it was there", async () => {
    market.settling = [done(0n), REFUSED];
    await mineTo(1_130, 1_140);
    expect(settlements()).toBe(2);
    expect(ledger.find(key)?.state).toBe("settled");
    expect(ledger.assertion(key)?.payout).toBeNull();
    expect(settled).toEqual([[GUID, null]]);
    expect(ledger.summary().profit).toBe(0n);
    expect(toldOf("settlement.unverified")).toEqual([
      expect.objectContaining({ claimed: "0", owed: "3.5", why: expect.stringContaining("no transfer") }),
    ]);
  });

  it("that a made-up receipt told of comes when the contract is asked, and pays", async () => {
    market.settling = [done(0n), done(OWED)];
    await market.mine(1_130);
    market.fates = [done(0n), done(OWED)];
    await mineTo(1_133, 1_140);
    expect(settlements()).toBe(2);
    expect(ledger.assertion(key)?.payout).toBe(OWED);
  });

  it("that pays more than the contract could is no income, and breaks no sum", async () => {
    market.settling = [done(ABSURD), REFUSED];
    await mineTo(1_130, 1_140);
    expect(ledger.find(key)?.state).toBe("settled");
    expect(ledger.assertion(key)?.payout).toBeNull();
    expect(ledger.profitSince(instant(0))).toBe(0n);
    expect(toldOf("settlement.unverified")[0]).toMatchObject({ why: expect.stringContaining("could pay") });
  });

  it("is asked of the contract once, whatever a gateway makes up", async () => {
    market.settling = [done(ABSURD)];
    await mineTo(1_130, 1_180);
    expect(settlements()).toBe(2);
    expect(ledger.assertion(key)?.payout).toBeNull();
  });

  it("is not booked on a forged announcement, however often it comes", async () => {
    const used = await market.minedCounting();
    market.minedCounting = async () => used;
    market.settling = [{ kind: "unknown", reason: "no receipt" }];
    for (let number = 1_130; number < 1_150; number++) {
      for (const payout of [ABSURD, OWED, nct(1n)])
        market.tell("settled", { guid: GUID, settler: market.account, payout });
      await market.mine(number);
    }
    expect(ledger.find(key)?.state).toBe("settling");
    expect(ledger.assertion(key)?.payout).toBeNull();
  });

  it("that a reorganisation took back is handed over again", async () => {
    market.resending = [{ kind: "sent" }];
    await market.mine(1_130);
    market.fates = [
      { kind: "unknown", reason: "no receipt" },
      { kind: "unknown", reason: "no receipt" },
    ];
    await market.mine(1_133);
    expect(toldOf("assertion.vanished")).toEqual([{ guid: GUID, what: "settlement" }]);
    expect(ledger.find(key)?.state).toBe("settling");
    await mineTo(1_134, 1_140);
    expect(market.resent.flat()).toContain(ledger.lastEntries(key, "settle")[0]?.reference);
    expect(ledger.assertion(key)?.payout).toBe(OWED);
  });

  it("waits for assertions and votes that cannot be read, but not for ever, and then believes no more than reward and stake", async () => {
    market.settling = [done(OWED), REFUSED];
    market.votes = () => Promise.reject(new Error("HTTP 500"));
    await mineTo(1_130, 1_136);
    expect(ledger.find(key)?.state).toBe("settling");
    await mineTo(1_137, 1_200);
    expect(ledger.find(key)?.state).toBe("settled");
    expect(ledger.assertion(key)?.payout).toBe(OWED);
  });

  it("of a bounty on which a reorganisation across the expiration left no assertion of ours is no loss: nothing was staked", async () => {
    market.listed = [];
    market.settling = [done(0n)];
    await market.mine(1_130);
    market.fates = [done(0n), { kind: "failed", reason: "Bounty inactive", retryable: false }];
    await mineTo(1_131, 1_133);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "post-failed" });
    expect(ledger.profitSince(instant(0))).toBe(0n);
    expect(ledger.summary().profit).toBe(0n);
    expect(duties.open()).toBe(0);
  });

  it("of a bounty that went with its block is not tried for ever", async () => {
    market.listed = [];
    market.settling = [{ kind: "failed", reason: "reverted: Bounty not initialized", retryable: false }];
    market.fates = [{ kind: "failed", reason: "Bounty not initialized", retryable: false }];
    await mineTo(1_130, 1_131);
    expect(ledger.find(key)).toMatchObject({ state: "abandoned", reason: "post-failed" });
  });
});
