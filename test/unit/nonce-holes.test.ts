import { beforeEach, describe, expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { NonceHoles } from "../../src/market/onchain/chain/nonce-holes.ts";
import { aBounty, aPlan, GUID, signed } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";

const key = { market: "side", guid: GUID } as const;
const clock = { now: () => instant(Date.now()) };

let market: HandMarket;
let ledger: Ledger;
let holes: NonceHoles;
let told: string[];

const mineTo = async (from: number, to: number) => {
  for (let number = from; number <= to; number++) await market.mine(number);
};

beforeEach(() => {
  market = new HandMarket();
  ledger = openLedger(":memory:", clock);
  told = [];
  ledger.see(aBounty());
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(key, [null, null], []);
  ledger.planAssertion(key, aPlan());
  ledger.journal(key, "assert", [signed("0xapprove", 4n), signed("0xassert", 5n)]);
  holes = new NonceHoles({ market, ledger, tell: (event) => void told.push(event) });
  holes.listen();
});

describe("a transaction that the gateway took and the node never got", () => {
  it("is handed over again when no transaction of ours is mined, without a signature, and whatever became of its bounty", async () => {
    ledger.abandon(key, "post-failed");
    market.mined = 4n;
    await mineTo(1_001, 1_004);
    expect(market.resent).toEqual([["0xapprove"], ["0xassert"]]);
    expect(told).toEqual(["nonces.handed-over"]);
    expect(market.asked).not.toContain("assert");
  });

  it("is left alone while the node mines what we sent, and when all of it is mined nobody is asked any more", async () => {
    market.mined = 3n;
    for (let number = 1_001; number <= 1_010; number++) {
      if (number % 2 === 0) market.mined++;
      await market.mine(number);
    }
    expect(market.resent).toEqual([]);
    const asked = market.asked.length;
    await mineTo(1_011, 1_040);
    expect(market.asked.length).toBe(asked);
  });

  it("is handed over with growing pauses while it stays away", async () => {
    market.mined = 5n;
    await mineTo(1_001, 1_200);
    const times = market.resent.length;
    expect(times).toBeGreaterThan(5);
    expect(times).toBeLessThan(12);
    expect(new Set(market.resent.flat())).toEqual(new Set(["0xassert"]));
  });

  it("is looked for again after a gateway that could not be asked", async () => {
    market.mined = 5n;
    const resendAll = market.resendAll.bind(market);
    market.resendAll = () => Promise.reject(new Error("HTTP 502"));
    await mineTo(1_001, 1_005);
    market.resendAll = resendAll;
    await mineTo(1_006, 1_012);
    expect(market.resent.flat()).toContain("0xassert");
    await holes.stop();
  });

  it("whose bytes nobody has any more is left to the next signature", async () => {
    market.mined = 2n;
    await mineTo(1_001, 1_020);
    expect(market.resent).toEqual([]);
  });
});
