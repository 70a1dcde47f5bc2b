import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import type { Market } from "../../src/market/port.ts";
import { type MarketEngineParts, openMarketEngine } from "../../src/producer/start/market-engine.ts";
import { MarketPromises } from "../../src/producer/start/market-promises.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainMarket } from "../fixtures/onchain-market.ts";

/** The same marketplace, and how many listen to it. */
function counted(market: Market): { readonly market: Market; readonly count: () => number } {
  const on = market.on.bind(market);
  let listening = 0;
  market.on = (event, listener) => {
    listening++;
    const off = on(event, listener);
    return () => {
      listening--;
      off();
    };
  };
  return { market, count: () => listening };
}

describe("an engine that is opened anew after each failed try to answer", () => {
  it.each(["fails half-way", "is stopped"])(
    "leaves no listeners on the marketplace when it %s",
    async (how) => {
      using ledger = openLedger(":memory:", systemClock);
      const gateway = new HandMarket();
      const shared = { ledger, clock: systemClock, tell: () => {} };
      const { market, count } = counted(onchainMarket(gateway, shared));
      const signal = new AbortController().signal;
      const promises = new MarketPromises({ ...shared, market, may: () => true }, signal);
      await promises.kept;
      const parts = {
        ...shared,
        config: { embedded: 0, confidence: [] },
        rules: { backends: [] },
        strategy: { name: "none" },
        limiter: { paused: () => undefined },
        queue: { served: () => new Set() },
      } as unknown as MarketEngineParts;
      if (how === "fails half-way")
        market.joined = async () => {
          throw new Error("half-way");
        };
      const [before, there] = [gateway.listeners(), count()];
      for (let tries = 0; tries < 5; tries++) {
        const opening = openMarketEngine(promises, parts, signal);
        if (how === "fails half-way") await expect(opening).rejects.toThrow("half-way");
        else {
          const engine = await opening;
          engine.begin();
          await engine.stop();
        }
      }
      expect([gateway.listeners(), count()]).toEqual([before, there]);
    },
  );
});
