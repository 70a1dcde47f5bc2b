import { expect, it } from "vitest";
import { BUILT_IN_STRATEGIES } from "../../src/bid/strategies.ts";
import { type Guid, uintToGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import { BountiesInWork, type BountiesInWorkParts } from "../../src/producer/answering/bounties-in-work.ts";
import type { Tell } from "../../src/producer/events/events.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import { aBounty, aPlan } from "../fixtures/bounties.ts";
import { HandMarket } from "../fixtures/hand-market.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";
import { onchainMarket } from "../fixtures/onchain-market.ts";
import { hearingCollector } from "../fixtures/queue/hearing-collector.ts";
import { plainQueue } from "../fixtures/queue/plain-queue.ts";

const clock = { now: () => instant(1_000) };
const guidOf = (number: number): Guid => uintToGuid(BigInt(number));
const idle = plainQueue("silent");

/** A desk whose bounties stay in work: the market answers about none until it is told to. */
function openBounties(ledger: Ledger = openLedger(":memory:", clock)) {
  const market = new HandMarket();
  const answer = Promise.withResolvers<void>();
  market.bounty = async () => {
    await answer.promise;
    return null;
  };
  market.listArtifacts = async () => [{ name: "0", hash: "Qm0" }];
  const told: [string, object][] = [];
  const tell: Tell = (event, facts) => void told.push([event, facts]);
  const reservations = new BalanceReservations(() => market.balance(), clock);
  const duties = onchainDuties({ market, ledger, reservations, clock, tell });
  duties.listen();
  const limiter: BountiesInWorkParts["limiter"] = {
    paused: () => undefined,
    allow: (_chain, { balance }) => ({ kind: "stake", most: balance, bound: "balance" }),
  };
  const inWork = new BountiesInWork({
    market: onchainMarket(market, { ledger, clock, tell }),
    ledger,
    reservations,
    limiter,
    clock,
    tell,
    queue: idle,
    duties,
    collector: hearingCollector(idle, clock, () => {}),
    rules: { artifactKinds: ["file"], maxSizeBytes: 1_000, backends: [], routes: [] },
    distill: () => {
      throw new Error("nothing was answered");
    },
    strategy: BUILT_IN_STRATEGIES[0]!,
    version: "0.0.0",
  });
  inWork.listen();
  const hear = (number: number) => inWork.hear(aBounty({ guid: guidOf(number) }));
  const count = (name: string) => told.filter(([event]) => event === name).length;
  return { market, inWork, duties, ledger, told, hear, count, answer };
}

it("has 500 bounties in work of a flood, counts the others, says so once, and has room again afterwards", async () => {
  const { inWork, hear, count, told, answer } = openBounties();
  for (let number = 1; number <= 20_000; number++) hear(number);
  expect(inWork.inFlight()).toBe(500);
  expect(inWork.full()).toBe(true);
  expect(count("bounty.skipped")).toBe(19_500);
  expect(told.find(([event]) => event === "bounty.skipped")).toEqual([
    "bounty.skipped",
    { guid: guidOf(501), why: "too-many" },
  ]);
  expect(count("bounties.too-many")).toBe(1);
  answer.resolve();
  await expect.poll(() => inWork.inFlight()).toBe(0);
  hear(30_000);
  expect(inWork.has(guidOf(30_000))).toBe(true);
  expect(count("bounties.too-many")).toBe(1);
  await inWork.stop();
});

it("reveals what was promised while 500 others are in work and more are heard of", async () => {
  const { market, inWork, duties, ledger, hear, answer } = openBounties();
  const promised = aBounty({ guid: guidOf(9_999), expiration: block(1_020) });
  ledger.see(promised);
  ledger.advance(promised, "distilled");
  ledger.planAssertion(promised, aPlan());
  ledger.recordAsserted(promised, 0);
  ledger.recordMetadataUri(promised, "QmMetadata");
  duties.resume();
  for (let number = 1; number <= 1_000; number++) hear(number);
  await market.mine(1_020);
  await expect.poll(() => market.reveals.length).toBe(1);
  answer.resolve();
  await inWork.stop();
  await duties.stop();
});

it("takes up 500 of the bounties that an earlier run left, those with the most time, and abandons the others", async () => {
  const ledger = openLedger(":memory:", clock);
  for (let number = 1; number <= 600; number++) {
    ledger.see(aBounty({ guid: guidOf(number), expiration: block(1_010 + (number % 600)) }));
  }
  const { inWork, count, answer } = openBounties(ledger);
  expect(inWork.resume()).toBe(500);
  expect(inWork.inFlight()).toBe(500);
  expect(count("bounty.abandoned")).toBe(100);
  expect(ledger.find({ market: "side", guid: guidOf(600) })).toMatchObject({ reason: "too-many" });
  expect(inWork.has(guidOf(599))).toBe(true);
  answer.resolve();
  await inWork.stop();
});
