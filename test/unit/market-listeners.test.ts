import { expect, it } from "vitest";
import { systemClock } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { ChainBack } from "../../src/market/onchain/chain/chain-back.ts";
import { Deprecation } from "../../src/market/onchain/chain/deprecation.ts";
import { NonceHoles } from "../../src/market/onchain/chain/nonce-holes.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";

it.each(["duties", "deprecation", "nonce holes", "chain back"] as const)(
  "%s: hears the market from `listen` on, and takes every listener off at the end",
  (what) => {
    using ledger = openLedger(":memory:", systemClock);
    const market = new HandMarket();
    const parts = { market, ledger, clock: systemClock, tell: () => {} };
    const reservations = new BalanceReservations(() => market.balance(), systemClock);
    const hearing = {
      duties: () => onchainDuties({ ...parts, reservations }),
      deprecation: () => new Deprecation(parts),
      "nonce holes": () => new NonceHoles(parts),
      "chain back": () => new ChainBack({ ...parts, resume: () => {} }),
    }[what]();
    expect(market.listeners()).toBe(0);
    const listening = hearing.listen();
    expect(market.listeners()).toBeGreaterThan(0);
    listening[Symbol.dispose]();
    expect(market.listeners()).toBe(0);
  },
);
