import { describe, expect, it } from "vitest";
import { block, systemClock } from "../../src/domain/chain.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { createBlockClock } from "../../src/market/onchain/chain/block-clock.ts";
import { Deprecation } from "../../src/market/onchain/chain/deprecation.ts";
import { type ChainEngineParts, openChainEngine } from "../../src/producer/start/chain-engine.ts";
import type { ChainPromises } from "../../src/producer/start/chain-promises.ts";
import { HandMarket } from "../fixtures/hand-market.ts";

describe("an engine that is opened anew after each failed try to answer", () => {
  it.each(["fails half-way", "is stopped"])(
    "leaves no listeners on the marketplace when it %s",
    async (how) => {
      using ledger = openLedger(":memory:", systemClock);
      const market = new HandMarket();
      const deprecation = new Deprecation({ market, ledger, tell: () => {} });
      deprecation.listen();
      const kept = { duties: {}, blocks: createBlockClock(block(1), systemClock.now()), promised: 0 };
      const promises = {
        chain: "side",
        market,
        deprecation,
        wallet: {},
        reservations: {},
        start: async () => ({ ...market.built }),
        kept: how === "is stopped" ? Promise.resolve(kept) : Promise.reject(new Error("half-way")),
      } as unknown as ChainPromises;
      promises.kept.catch(() => undefined);
      const parts = {
        config: {},
        rules: { backends: [] },
        ledger,
        clock: systemClock,
        tell: () => {},
      } as unknown as ChainEngineParts;
      const before = market.listeners();
      for (let tries = 0; tries < 5; tries++) {
        const opening = openChainEngine(promises, parts, new AbortController().signal);
        if (how === "is stopped") await (await opening).stop();
        else await expect(opening).rejects.toThrow("half-way");
      }
      expect(market.listeners()).toBe(before);
    },
  );
});
