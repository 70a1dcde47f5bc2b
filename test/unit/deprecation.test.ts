import { expect, it } from "vitest";
import { type Guid, parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { Deprecation } from "../../src/market/onchain/chain/deprecation.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import { aBounty, aPlan, GUID, signed } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";

const clock = { now: () => instant(1_000) };

function open(ledger = openLedger(":memory:", clock)) {
  const market = new HandMarket();
  const told: [string, object][] = [];
  const deprecation = new Deprecation({
    market,
    ledger,
    tell: (event, facts) => void told.push([event, facts]),
  });
  deprecation.listen();
  return { market, ledger, told, deprecation };
}

it("a deprecation outlives the process that heard of it, until it is taken back", () => {
  const { market, ledger, told, deprecation } = open();
  expect(deprecation.active()).toBe(false);
  market.tell("deprecated", { rollover: true, since: block(900) });
  expect(deprecation.active()).toBe(true);
  const later = open(ledger);
  expect(later.deprecation.active()).toBe(true);
  later.market.tell("undeprecated");
  expect(later.deprecation.active()).toBe(false);
  expect(open(ledger).deprecation.active()).toBe(false);
  expect([...told, ...later.told]).toEqual([
    ["market.deprecated", { market: "side", rollover: true }],
    ["market.undeprecated", { market: "side" }],
  ]);
});

it("a bounty posted after the deprecation proves that it was taken back, one posted until then does not", () => {
  const { market, told, deprecation } = open();
  market.tell("deprecated", { rollover: false, since: block(900) });
  deprecation.posted(GUID, block(899));
  deprecation.posted(GUID, block(900));
  expect(deprecation.active()).toBe(true);
  deprecation.posted(GUID, block(901));
  expect(deprecation.active()).toBe(false);
  deprecation.posted(GUID, block(902));
  expect(told.slice(1)).toEqual([["market.undeprecated", { market: "side", proof: GUID }]]);
});

it("a deprecation whose block nobody named counts as later than any block heard of", () => {
  const { market, deprecation } = open();
  market.tell("deprecated", { rollover: false, since: undefined });
  deprecation.posted(GUID, block(market.head() + 1));
  expect(deprecation.active()).toBe(true);
  deprecation.posted(GUID, block(market.head() + 100));
  expect(deprecation.active()).toBe(false);
});

it("a deprecation announced for an absurd block binds ten blocks at most, also after a restart", async () => {
  const { market, ledger, deprecation } = open();
  market.tell("deprecated", { rollover: false, since: block(Number.MAX_SAFE_INTEGER) });
  expect([deprecation.active(), deprecation.unconfirmed()]).toEqual([true, true]);
  deprecation.posted(GUID, block(market.head() + 10));
  expect(deprecation.active()).toBe(true);
  deprecation.posted(GUID, block(market.head() + 11));
  expect(deprecation.active()).toBe(false);
  // As an earlier version noted it.
  ledger.setNote("side", "deprecated", "9007199254740991");
  const later = open(ledger);
  await later.market.mine(2_000);
  later.deprecation.posted(GUID, block(2_011));
  expect(later.deprecation.active()).toBe(false);
});

it("a deprecation that is heard of before any block counts, and is confirmed when ten blocks showed nothing else", async () => {
  const market = new HandMarket();
  let known = false;
  market.headKnown = () => known;
  const ledger = openLedger(":memory:", clock);
  const deprecation = new Deprecation({ market, ledger, tell: () => undefined });
  deprecation.listen();
  market.tell("deprecated", { rollover: true, since: undefined });
  expect([deprecation.active(), deprecation.unconfirmed()]).toEqual([true, true]);
  known = true;
  await market.mine(1_000);
  await market.mine(1_019);
  expect(deprecation.unconfirmed()).toBe(true);
  await market.mine(1_020);
  expect([deprecation.active(), deprecation.unconfirmed()]).toEqual([true, false]);
});

it("what was planned and not sent is let go while the registry is deprecated; what was signed is not", async () => {
  const { market, ledger, deprecation } = open();
  const reservations = new BalanceReservations(() => market.balance(), clock);
  const told: string[] = [];
  const tell = (event: string) => void told.push(event);
  const signedBefore = parseGuid("00000000-0000-4000-8000-000000000001");
  for (const guid of [GUID, signedBefore]) {
    const bounty = aBounty({ guid });
    ledger.see(bounty);
    ledger.advance(bounty, "distilled");
    ledger.planAssertion(bounty, aPlan());
  }
  ledger.journal({ market: "side", guid: signedBefore }, "assert", [signed("0xassert")]);
  market.resending = [{ kind: "void", reason: "its number was used" }];
  market.tell("deprecated", { rollover: false, since: block(900) });

  const duties = onchainDuties({ market, ledger, reservations, clock, tell, deprecation });
  duties.listen();
  expect(duties.resume()).toBe(2);
  const find = (guid: Guid) => ledger.find({ market: "side", guid });
  await expect.poll(() => find(GUID)).toMatchObject({ state: "abandoned", reason: "deprecated" });
  await expect.poll(() => find(signedBefore)?.state).toBe("asserted");
  expect(market.asked.filter((what) => what === "assert")).toHaveLength(1);
  await duties.stop();
});
