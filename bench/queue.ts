/**
 * What our queue costs over BullMQ itself, and whether consumers add up. Both run on the same Redis in the same run, so
 * that the ratio means something on any machine.
 *
 *     node scripts/with-redis.ts node bench/queue.ts
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { pino } from "pino";
import type { ScanJob } from "../src/domain/scan.ts";
import { openBullmqWork } from "../src/queue/bullmq/consumer.ts";
import { openBullmqQueue } from "../src/queue/bullmq/producer.ts";
import { openEmbeddedQueue } from "../src/queue/embedded/producer.ts";
import type { ScanQueue } from "../src/queue/port.ts";
import { parseRedisAddress } from "../src/redis/address.ts";
import type { ConsumerOrder } from "../test/fixtures/queue/consumer.ts";
import { jobFor } from "../test/fixtures/queue/jobs.ts";
import { at, echo, type RoundTrip, rawBullmq, roundTrip } from "./round-trip.ts";

const ROUNDS = 1_000;
const WARM_UP = 200;
const JOBS = 200;
const SLEEP_MS = 50;

const redis = process.env.REDIS_ADDR ?? "localhost:6379";
const address = parseRedisAddress(redis);
const log = pino({ level: "silent" });
const basics = { waitMs: 0, log };

/**
 * Milliseconds of each way's round trips, sorted: one job at a time, and the ways by turns, so that whatever else the
 * machine does meets them all alike.
 */
async function timed<Way extends string>(ways: Record<Way, RoundTrip>): Promise<Record<Way, number[]>> {
  const samples = Object.fromEntries(Object.keys(ways).map((way) => [way, []])) as unknown as Record<
    Way,
    number[]
  >;
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const way of Object.keys(ways) as Way[]) {
      const start = performance.now();
      await ways[way]();
      if (round >= WARM_UP) samples[way].push(performance.now() - start);
    }
  }
  for (const list of Object.values<number[]>(samples)) list.sort((a, b) => a - b);
  return samples;
}

const throughPort = (queue: ScanQueue): RoundTrip =>
  roundTrip(
    "ours",
    (job) => queue.dispatch([job]),
    (listener) => queue.onAnswer(({ jobId }) => listener(jobId)),
  );

async function oursOnRedis(stack: AsyncDisposableStack): Promise<RoundTrip> {
  const queue = `bench-${randomUUID()}`;
  const work = stack.use(await openBullmqWork({ address, queue, consumer: "bench", ...basics }));
  await work.serve(["ours"], echo, { concurrency: 1 });
  return throughPort(stack.use(await openBullmqQueue({ address, queue, backends: ["ours"], ...basics })));
}

async function embedded(stack: AsyncDisposableStack): Promise<RoundTrip> {
  const crew = startCrew(1, { kind: "embedded", backends: ["ours"], concurrency: 1 });
  const queue = stack.use(openEmbeddedQueue({ spawn: crew.spawn, consumers: 1, log }));
  await crew.ready();
  return throughPort(queue);
}

async function latencies() {
  await using stack = new AsyncDisposableStack();
  return await timed({
    "BullMQ, raw": await rawBullmq(stack, address),
    "ours on Redis": await oursOnRedis(stack),
    embedded: await embedded(stack),
  });
}

function startCrew(size: number, order: ConsumerOrder) {
  const children: ChildProcess[] = [];
  const spawn = (): ChildProcess => {
    const fixture = new URL("../test/fixtures/queue/consumer.ts", import.meta.url);
    const child = fork(fixture, [JSON.stringify(order)]);
    children.push(child);
    return child;
  };
  const isReady = (child: ChildProcess): Promise<void> =>
    new Promise((resolve) => {
      child.on("message", (message: { kind?: string }) => {
        if (message.kind === "ready") resolve();
      });
    });
  return {
    spawn,
    ready: () => Promise.all(children.slice(0, size).map(isReady)),
    async stop() {
      await Promise.all(
        children.map(async (child) => {
          const gone = once(child, "exit");
          child.kill("SIGTERM");
          await gone;
        }),
      );
    },
  };
}

/** Milliseconds in which so many consumers finish all jobs. */
async function finishWith(consumers: number): Promise<number> {
  const queue = `bench-${randomUUID()}`;
  const order: ConsumerOrder = { kind: "redis", redis, queue, backends: ["sleepy"], concurrency: 1 };
  const crew = startCrew(consumers, order);
  for (let index = 0; index < consumers; index++) crew.spawn();
  await crew.ready();
  await using scans = await openBullmqQueue({ address, queue, backends: ["sleepy"], ...basics });
  const jobs = Array.from(
    { length: JOBS },
    (_, artifactIndex): ScanJob => jobFor("sleepy", `sleep-${SLEEP_MS}`, { artifactIndex }),
  );
  const open = new Set(jobs.map((job) => job.id));
  const done = Promise.withResolvers<void>();
  scans.onAnswer(({ jobId }) => {
    open.delete(jobId);
    if (open.size === 0) done.resolve();
  });
  const start = performance.now();
  await scans.dispatch(jobs);
  await done.promise;
  const tookMs = performance.now() - start;
  await crew.stop();
  return tookMs;
}

const rows = await latencies();
const raw = rows["BullMQ, raw"];
console.log(`Round trip from dispatch to answer, ${ROUNDS} jobs one after the other`);
console.table(
  Object.fromEntries(
    Object.entries(rows).map(([name, samples]) => [
      name,
      {
        "median ms": at(samples, 0.5).toFixed(2),
        "p99 ms": at(samples, 0.99).toFixed(2),
        "of raw": (at(samples, 0.5) / at(raw, 0.5)).toFixed(2),
      },
    ]),
  ),
);

console.log(`${JOBS} jobs of ${SLEEP_MS} ms, one at a time in each consumer`);
const alone = await finishWith(1);
const scaling = { 1: alone, 2: await finishWith(2), 4: await finishWith(4) };
console.table(
  Object.fromEntries(
    Object.entries(scaling).map(([consumers, tookMs]) => [
      `${consumers} consumer(s)`,
      {
        ms: Math.round(tookMs),
        speedup: (alone / tookMs).toFixed(2),
        "of ideal": (alone / tookMs / Number(consumers)).toFixed(2),
      },
    ]),
  ),
);
