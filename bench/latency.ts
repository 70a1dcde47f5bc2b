/**
 * How long a bounty waits for its assertion: from the bounty event in the producer until the request for the assertion
 * leaves it, through a real gateway, Redis, a consumer and its scan worker, in processes of their own. One small EICAR
 * artifact a bounty, one bounty at a time. Beside it the bare round trip of a job over BullMQ on the same Redis, measured
 * in the same run while the producer is idle.
 *
 *     node scripts/with-redis.ts node bench/latency.ts
 */
import { performance } from "node:perf_hooks";
import { parseRedisAddress } from "../src/redis/address.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "../test/e2e/engine.ts";
import { EICAR, openMarket, REWARD } from "../test/e2e/market.ts";
import { at, rawBullmq } from "./round-trip.ts";

const WARM_UP = 10;
const BOUNTIES = 50;
const ROUND_TRIPS = 500;
const LIMIT_MS = 25;

const redis = process.env.REDIS_ADDR ?? "localhost:6379";

async function bountyToRequest(): Promise<number[]> {
  using folder = temporaryFolder();
  await using market = await openMarket(folder.path, { blockTimeMs: 250, durationBlocks: 20, rivals: 0 });
  const queue = ["--redis-addr", redis, "--queue", `latency-${process.pid}`];
  await using consumer = new EngineProcess(["consumer", "--polyswarmd-addr", market.url, ...queue]);
  await consumer.told("consumer.serving");
  await using producer = new EngineProcess([...producerFlags(market.url, folder.path), ...queue]);
  await producer.told("producer.ready");
  for (let bounty = 1; bounty <= WARM_UP + BOUNTIES; bounty++) {
    await market.postBounty({ contents: [EICAR], truth: [true], duration: 20, reward: REWARD });
    await producer.told("assertion.posted", bounty);
  }
  const posted = await producer.told("assertion.posted", WARM_UP + BOUNTIES);
  return posted
    .slice(WARM_UP)
    .map((entry) => Number(entry.ms))
    .sort((a, b) => a - b);
}

async function bareRoundTrips(): Promise<number[]> {
  await using stack = new AsyncDisposableStack();
  const roundTrip = await rawBullmq(stack, parseRedisAddress(redis));
  const samples: number[] = [];
  for (let round = 0; round < 2 * ROUND_TRIPS; round++) {
    const start = performance.now();
    await roundTrip();
    if (round >= ROUND_TRIPS) samples.push(performance.now() - start);
  }
  return samples.sort((a, b) => a - b);
}

const bounties = await bountyToRequest();
const bare = await bareRoundTrips();
const row = (samples: readonly number[]) => ({
  "median ms": at(samples, 0.5).toFixed(2),
  "p90 ms": at(samples, 0.9).toFixed(2),
  "worst ms": at(samples, 1).toFixed(2),
});
console.log(`${BOUNTIES} bounties, one EICAR artifact each`);
console.table({
  "bounty event to assertion request": row(bounties),
  "bare BullMQ round trip": row(bare),
});
const median = at(bounties, 0.5);
console.log(
  `${(median / at(bare, 0.5)).toFixed(1)} bare round trips; the limit is a median of ${LIMIT_MS} ms: ${median < LIMIT_MS ? "met" : "missed"}`,
);
