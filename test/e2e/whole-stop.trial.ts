/** Stopping all of it at once, as `docker compose down` and a machine that shuts down do. */
import { describe, expect, it } from "vitest";
import { paced } from "../fixtures/busy-machine.ts";
import { startRedis } from "../fixtures/queue/redis-server.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { EICAR, openMarket, REWARD } from "./market.ts";

/** As in the compose file, which gives 30 seconds. */
const STOP_TIMEOUT_S = 25;
/** Docker's own grace. On a quiet machine it takes half of it. */
const WITHIN_S = 10;

/** `gone` first, the rest a moment later. */
async function stopAll(order: readonly ("gateway" | "redis" | "engine")[]): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const sandbox = await openMarket(folder);
  const redis = stack.use(await startRedis());
  const shared = [
    ...["--redis-addr", redis.address, "--backend", "eicar", "--stop-timeout", String(STOP_TIMEOUT_S)],
  ];
  const producer = stack.use(new EngineProcess([...producerFlags(sandbox.url, folder), ...shared]));
  const consumer = stack.use(
    new EngineProcess(["consumer", "--polyswarmd-addr", sandbox.url, "--http-port", "0", ...shared]),
  );
  await Promise.all([producer.told("producer.ready"), consumer.told("consumer.serving")]);
  const post = (index: number) =>
    sandbox.postBounty({
      contents: [Buffer.concat([EICAR, Buffer.from(`${index}`)])],
      truth: [true],
      duration: index === 0 ? 8 : 60,
      reward: REWARD,
    });
  await post(0);
  await producer.told("assertion.posted");
  // One whose reveal is due about now, and one on its way.
  await Promise.all([producer.told("assertion.revealed"), post(1)]);
  const begun = Date.now();
  const ends: Promise<unknown>[] = [];
  const codes: Promise<(number | null)[]>[] = [];
  for (const what of order) {
    if (what === "gateway") ends.push(Promise.resolve(sandbox[Symbol.asyncDispose]()));
    if (what === "redis") ends.push(redis.kill());
    if (what === "engine") codes.push(Promise.all([producer.kill("SIGTERM"), consumer.kill("SIGTERM")]));
  }
  expect((await Promise.all(codes)).flat()).toEqual([0, 0]);
  const tookMs = Date.now() - begun;
  await Promise.all(ends);
  const [stopped] = await producer.told("producer.stopped").catch(() => []);
  const told = stopped === undefined ? 0 : Date.parse(String(stopped.time)) - begun;
  process.stderr.write(`${order.join(", ")}: producer.stopped after ${told} ms, gone after ${tookMs} ms\n`);
  expect(tookMs).toBeLessThan(paced(WITHIN_S * 1_000));
  expect([...producer.text, ...consumer.text]).toEqual([]);
}

describe("the whole of it, stopped at once", () => {
  it.each([
    [["gateway", "redis", "engine"]],
    [["engine", "redis", "gateway"]],
    [["redis", "engine", "gateway"]],
    [["gateway", "engine", "redis"]],
  ] as const)("ends within the grace, in the order %j", stopAll);
});
