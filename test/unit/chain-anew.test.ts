import { expect, it } from "vitest";
import type { Bounty } from "../../src/domain/bounty.ts";
import { type Guid, parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { writeOffIfAnew } from "../../src/market/onchain/chain/chain-anew.ts";
import { ChainBack } from "../../src/market/onchain/chain/chain-back.ts";
import { lastBefore } from "../../src/market/onchain/chain/market-notes.ts";
import { NonceHoles } from "../../src/market/onchain/chain/nonce-holes.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import { aBounty, aPlan, signed } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";

const clock = { now: () => instant(5_000) };
const never = new AbortController().signal;
const guidOf = (index: number): Guid => parseGuid(`00000000-0000-4000-8000-00000000000${index}`);

class OtherMarket extends HandMarket {
  readonly known = new Map<Guid, Bounty>();
  override async bounty(guid: Guid): Promise<Bounty | null> {
    return this.known.get(guid) ?? null;
  }
}

/** A ledger with three stakes, asserted with the account nonces 1, 3 and 5, and a market that knows nothing of them. */
function scene() {
  const market = new OtherMarket();
  const ledger = openLedger(":memory:", clock);
  const told: (readonly [string, object])[] = [];
  for (const index of [1, 2, 3]) {
    const bounty = aBounty({ guid: guidOf(index), expiration: block(1_000 + index) });
    ledger.see(bounty);
    ledger.advance(bounty, "distilled");
    ledger.planAssertion(bounty, aPlan());
    ledger.journal(bounty, "assert", [{ ...signed(`0xassert${index}`), sequence: BigInt(2 * index - 1) }]);
    ledger.recordAsserted(bounty, 0);
  }
  const states = () => [1, 2, 3].map((index) => ledger.find({ market: "side", guid: guidOf(index) })?.state);
  let pauses = 0;
  const look = (meanwhile: () => void = () => undefined) =>
    writeOffIfAnew(
      {
        market,
        ledger,
        tell: (event, facts) => told.push([event, facts]),
        pause: async () => {
          pauses++;
          meanwhile();
        },
      },
      { first: never, second: never },
    );
  return { market, ledger, told, states, look, pauses: () => pauses };
}

it("a chain that knows neither our transactions nor our bounties was begun anew: all is written off, in one line", async () => {
  const { ledger, told, states, look } = scene();
  await look();
  expect(states()).toEqual(["abandoned", "abandoned", "abandoned"]);
  expect(told).toMatchObject([["market.begun-anew", { market: "side", bounties: 3, written: 3 }]]);
  expect([ledger.atRisk("side"), ledger.note("side", "anew")]).toEqual([0n, "5"]);
  await look();
  expect(told).toHaveLength(1);
});

it("a chain that counts as many transactions of ours as the ledger saw mined is the same, whatever it lists", async () => {
  const { market, told, look, pauses } = scene();
  market.mined = 6n;
  await look();
  expect([told, pauses()]).toEqual([[], 0]);
});

it("one open bounty that it knows is enough to make it the same", async () => {
  const { market, told, look, states } = scene();
  market.known.set(guidOf(2), aBounty({ guid: guidOf(2) }));
  await look();
  expect([told, states()]).toEqual([[], ["asserted", "asserted", "asserted"]]);
});

it("a node that was behind for a moment, or cannot be asked, writes nothing off", async () => {
  const { market, told, look, pauses } = scene();
  await look(() => {
    market.mined = 6n;
  });
  expect([told, pauses()]).toEqual([[], 1]);
  market.counting = () => Promise.reject(new Error("Bad Gateway"));
  await look();
  expect([told, pauses()]).toEqual([[], 1]);
});

it("the second look has time of its own, and a question that is never answered writes nothing off and does not hold the start up", async () => {
  const { market, ledger, told, states } = scene();
  const parts = { market, ledger, tell: (event: string, facts: object) => told.push([event, facts]) };
  const first = new AbortController();
  const pause = async () => first.abort(new Error("enough"));
  await writeOffIfAnew({ ...parts, pause }, { first: first.signal, second: never });
  expect(states()).toEqual(["abandoned", "abandoned", "abandoned"]);
  const other = scene();
  other.market.counting = () => new Promise(() => {});
  const patience = new AbortController();
  const look = writeOffIfAnew(
    { market: other.market, ledger: other.ledger, tell: () => {} },
    { first: patience.signal, second: never },
  );
  patience.abort(new Error("enough"));
  await expect(look).rejects.toThrow("enough");
  expect(other.states()).toEqual(["asserted", "asserted", "asserted"]);
});

it("after that nothing of the chain before is handed over, and what is signed on the new one is", async () => {
  const { market, ledger, look } = scene();
  await look();
  const holes = new NonceHoles({ market, ledger, tell: () => {} });
  holes.listen();
  // Nonce 1 of the old chain is the next that the new one waits for.
  market.mined = 1n;
  for (let number = 1_001; number <= 1_010; number++) await market.mine(number);
  expect([market.resent, ledger.takenSequence("side", lastBefore(ledger, "side"))]).toEqual([[], undefined]);
  const bounty = aBounty({ guid: guidOf(4) });
  ledger.see(bounty);
  ledger.advance(bounty, "distilled");
  ledger.planAssertion(bounty, aPlan());
  // The approval has the very bytes that it had with this nonce on the old chain.
  ledger.journal(bounty, "assert", [
    { ...signed("0xassert1"), sequence: 1n },
    { ...signed("0xnew"), sequence: 2n },
  ]);
  for (let number = 1_011; number <= 1_020; number++) await market.mine(number);
  expect(market.resent[0]).toEqual(["0xassert1"]);
  expect(new Set(market.resent.flat())).toEqual(new Set(["0xassert1", "0xnew"]));
  await holes.stop();
});

it("what was written off is promised again, without a restart, when the node has its blocks again", async () => {
  const { market, ledger, told, states, look } = scene();
  ledger.journal({ market: "side", guid: guidOf(2) }, "reveal", [{ ...signed("0xreveal"), sequence: 6n }]);
  await look();
  let resumed = 0;
  const back = new ChainBack({
    market,
    ledger,
    tell: (event, facts) => told.push([event, facts]),
    resume: () => resumed++,
  });
  back.listen();
  await using _back = disposing(back);
  await market.mine(1_001);
  market.mined = 6n;
  await market.mine(1_003);
  expect([states(), resumed]).toEqual([["abandoned", "abandoned", "abandoned"], 0]);
  market.known.set(guidOf(3), aBounty({ guid: guidOf(3) }));
  await market.mine(1_007);
  expect([states(), resumed]).toEqual([["asserted", "revealing", "asserted"], 1]);
  expect(told.at(-1)).toEqual(["market.came-back", { market: "side", bounties: 3 }]);
  expect([ledger.note("side", "anew"), ledger.atRisk("side") > 0n]).toEqual([undefined, true]);
  expect(lastBefore(ledger, "side")).toBe(0);
});

const disposing = (back: ChainBack): AsyncDisposable => ({ [Symbol.asyncDispose]: () => back.stop() });
