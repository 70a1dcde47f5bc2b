import { afterAll, beforeAll, expect, it } from "vitest";
import { deedsOnChain, readLedger } from "./market.ts";
import { about, MeddledMarket } from "./meddled-market.ts";
import type { Meddle } from "./meddler.ts";
import { scrape } from "./scrape.ts";

/** Blocks. Enough for a producer to start on a busy machine. */
const WHILE_DEAD = 24;
/** ... and to come back to its list twice. */
const WHILE_ALIVE = 16;
/** At the least; longer on a busy machine. */
const BLOCK_MS = 500;

let market: MeddledMarket;

const nothing: Meddle = () => [];
const all: Meddle = (frame) => [frame];
const noBounties: Meddle = (frame) => (frame.includes('"event":"bounty"') ? [] : [frame]);

beforeAll(async () => {
  market = await MeddledMarket.open();
});
afterAll(() => market?.[Symbol.asyncDispose]());

it("answers a bounty that was posted while its producer was dead", async () => {
  const first = await market.start();
  await first.kill("SIGKILL");
  const guid = await market.post(WHILE_DEAD);
  const producer = await market.start();
  await producer.told("bounty.backfilled", 1, about(guid));
  await producer.told("assertion.posted", 1, about(guid));
});

it("answers a bounty that was posted while the event stream was cut", async () => {
  const producer = market.producer;
  market.meddler.meddle = nothing;
  const guid = await market.post(WHILE_ALIVE);
  market.meddler.hangUp();
  await producer.told("market.disconnected");
  market.meddler.meddle = all;
  await producer.told("bounty.backfilled", 1, about(guid));
  await producer.told("assertion.posted", 1, about(guid));
});

it("answers a bounty while the gateway is silent about bounties and tells all else", async () => {
  const producer = market.producer;
  market.meddler.meddle = noBounties;
  const guid = await market.post(WHILE_ALIVE);
  const [found] = await producer.told("bounty.backfilled", 1, about(guid));
  // Looked for every five blocks, so about half of the time is left at the least.
  // The last block to send in is two before the end; the clock of blocks is an estimate.
  expect(found?.answerWithinMs).toBeGreaterThan(0.8 * (WHILE_ALIVE / 2 - 3) * BLOCK_MS);
  await producer.told("assertion.posted", 1, about(guid));
});

it("settles all of them, also when the arbiters agreed while the producer was dead, and has answered each once", async () => {
  const before = market.producer;
  const last = market.guids.at(-1)!;
  const [listening] = await before.told("http.listening", 1, ({ name }) => name === "producer");
  const counted = await scrape(Number(listening?.port));
  expect(counted("bounties_backfilled_total")).toBe(market.guids.length);
  await before.told("assertion.revealed", 1, about(last));
  await before.kill("SIGKILL");
  const quorums = async () =>
    (await market.sandbox.chain.logs(0, await market.sandbox.chain.head())).filter(
      ({ event }) => event === "QuorumReached",
    );
  await expect.poll(quorums).toHaveLength(market.guids.length);
  const producer = await market.start();
  await producer.told("assertion.settled", 1, about(last));
  await expect.poll(() => readLedger(market.folder).byState).toEqual({ settled: market.guids.length });
  const times = market.guids.length;
  expect(await deedsOnChain(market.sandbox)).toEqual({ asserted: times, revealed: times, settled: times });
  for (const guid of market.guids) {
    const seen = market.producers.flatMap(({ entries }) => entries.filter(about(guid)));
    expect(seen.filter(({ msg }) => msg === "bounty.seen")).toHaveLength(1);
  }
});
