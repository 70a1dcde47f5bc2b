import { expect, it } from "vitest";
import { Fault } from "../../src/domain/fault.ts";
import { instant } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { expirationOf } from "../../src/market/onchain/port/details.ts";
import { untilListed } from "../../src/producer/answering/intake.ts";
import { aBounty } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainMarket } from "../fixtures/onchain-market.ts";

it("a URI that leads nowhere is waited for no longer than the bounty lasts, though the clock was set back meanwhile", async () => {
  const market = new HandMarket();
  const bounty = aBounty();
  let asked = 0;
  let now = 1_000;
  market.listArtifacts = async () => {
    // After the first look an hour is taken back, and later the blocks go on without it.
    now -= 3_600_000;
    if (++asked === 2) await market.mine(expirationOf(bounty));
    throw new Fault("MARKET_NOT_FOUND", "There is nothing.");
  };
  const clock = { now: () => instant(now) };
  using ledger = openLedger(":memory:", clock);
  const parts = { market: onchainMarket(market, { ledger, clock, tell: () => {} }), clock };
  const waiting = untilListed(parts, bounty, AbortSignal.timeout(240_000));
  await expect(waiting).rejects.toMatchObject({ why: "no-artifacts" });
  expect(asked).toBe(2);
});

it("a URI that leads nowhere is asked for with growing pauses", async () => {
  const market = new HandMarket();
  const asked: number[] = [];
  market.listArtifacts = async () => {
    asked.push(performance.now());
    if (asked.length === 3) return [{ name: "000000", hash: "Qm" }];
    throw new Fault("MARKET_NOT_FOUND", "Timeout running ls");
  };
  const clock = { now: () => instant(Date.now()) };
  using ledger = openLedger(":memory:", clock);
  const parts = { market: onchainMarket(market, { ledger, clock, tell: () => {} }), clock };
  expect(await untilListed(parts, aBounty(), AbortSignal.timeout(240_000))).toBe(1);
  expect(asked[2]! - asked[1]!).toBeGreaterThan(900);
});
