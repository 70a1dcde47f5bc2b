/** A whole market over each way in which Redis is run: every stake is revealed and settled, with a failover in the middle too. */
import { describe, expect, it } from "vitest";
import {
  holderOf,
  type ManyRedis,
  startCluster,
  startSentinels,
  startValkey,
  valkeyServer,
} from "../fixtures/queue/many-redis.ts";
import { EngineProcess, type Entry, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD, readLedger } from "./market.ts";

const about = (guid: string) => (entry: Entry) => entry.guid === guid;

/** Two bounties before `between`, two after it. */
async function wholeMarket(start: () => Promise<ManyRedis>, between?: (redis: ManyRedis) => Promise<void>) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const sandbox = stack.use(await openMarket(folder));
  const redis = stack.use(await start());
  const shared = ["--redis-addr", redis.address, "--backend", "eicar"];
  const consumers = [1, 2].map(() =>
    stack.use(
      new EngineProcess(["consumer", "--polyswarmd-addr", sandbox.url, "--http-port", "0", ...shared]),
    ),
  );
  await Promise.all(consumers.map((consumer) => consumer.told("consumer.serving")));
  const producer = stack.use(new EngineProcess([...producerFlags(sandbox.url, folder), ...shared]));
  await producer.told("producer.ready");
  let bounties = 0;
  const post = () =>
    sandbox.postBounty({
      contents: [Buffer.concat([EICAR, Buffer.from(`${bounties++}`)])],
      truth: [true],
      duration: between === undefined ? 15 : 40,
      reward: REWARD,
    });
  const first = await Promise.all([post(), post()]);
  await Promise.all(first.map((guid) => producer.told("assertion.posted", 1, about(guid))));
  // Posted while Redis fails over, they are answered by what takes over.
  const changing = between?.(redis);
  const second = await Promise.all([post(), post()]);
  await changing;
  await Promise.all(second.map((guid) => producer.told("assertion.posted", 1, about(guid))));
  await producer.told("assertion.settled", 4);
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 4, revealed: 4, settled: 4 });
  expect(readLedger(folder)).toMatchObject({ settled: 4, atRisk: 0n, wrong: 0, revealsMissed: 0 });
  for (const engine of [producer, ...consumers]) expect(engine.text).toEqual([]);
}

describe("a whole market over Redis", () => {
  it("settles over a Cluster of three nodes", () => wholeMarket(startCluster));

  it("settles over a Cluster whose node with the queue dies and is replaced in the middle", () =>
    wholeMarket(
      () => startCluster({ replicas: 1 }),
      async (cluster) => (await holderOf(cluster, "{microengine}:eicar:wait")).kill(),
    ));

  it("settles behind Sentinels", () => wholeMarket(startSentinels));

  it("settles behind Sentinels with a failover in the middle", () => {
    let primary: () => Promise<{ kill(): Promise<void> }>;
    return wholeMarket(
      async () => {
        const set = await startSentinels();
        primary = () => set.primary();
        return set;
      },
      async () => (await primary()).kill(),
    );
  });

  it.skipIf(valkeyServer() === undefined)("settles over Valkey", () => wholeMarket(startValkey));
});
