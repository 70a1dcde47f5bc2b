import { expect, it } from "vitest";
import { block, instant } from "../../src/domain/chain.ts";
import { openLedger } from "../../src/ledger/ledger.ts";
import { Deprecation } from "../../src/producer/deprecation.ts";
import { GUID } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";

const clock = { now: () => instant(1_000) };

function open(ledger = openLedger(":memory:", clock)) {
  const market = new HandMarket();
  const told: [string, object][] = [];
  const deprecation = new Deprecation({
    market,
    ledger,
    tell: (event, facts) => void told.push([event, facts]),
  });
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
    ["market.deprecated", { chain: "side", rollover: true }],
    ["market.undeprecated", { chain: "side" }],
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
  expect(told.slice(1)).toEqual([["market.undeprecated", { chain: "side", proof: GUID }]]);
});

it("a deprecation whose block nobody named counts as later than any block heard of", () => {
  const { market, deprecation } = open();
  market.tell("deprecated", { rollover: false, since: undefined });
  deprecation.posted(GUID, block(market.head() + 1));
  expect(deprecation.active()).toBe(true);
  deprecation.posted(GUID, block(market.head() + 100));
  expect(deprecation.active()).toBe(false);
});
