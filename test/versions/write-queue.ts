/**
 * Writes what `queue.test.ts` reads: jobs that wait and jobs that are answered, in Redis and as they pass between processes, as
 * the code at hand writes them. Run it before a change of what is written, never after one:
 *
 *     node test/versions/write-queue.ts test/fixtures/version-N
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { parseGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import type { ScanAnswer, ScanJob } from "../../src/domain/scan.ts";
import { openBullmqWork } from "../../src/queue/bullmq/consumer.ts";
import { openBullmqQueue } from "../../src/queue/bullmq/producer.ts";
import { readToProducer } from "../../src/queue/embedded/messages.ts";
import { openEmbeddedQueue } from "../../src/queue/embedded/producer.ts";
import type { ScanHandler } from "../../src/queue/port.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { createSeal } from "../../src/redis/seal.ts";
import type { ConsumerOrder } from "../fixtures/queue/consumer.ts";
import { Answers, answerTo, jobFor } from "../fixtures/queue/jobs.ts";
import { listening } from "../fixtures/queue/listening.ts";
import { startRedis } from "../fixtures/queue/redis-server.ts";
import { type RedisKey, SECRET, type WrittenQueue } from "./queue.ts";

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error("Usage: node test/versions/write-queue.ts FOLDER");

const CONSUMER = fileURLToPath(new URL("../fixtures/queue/consumer.ts", import.meta.url));

/** Waiting jobs are not to expire before they are read. */
const deadline = instant(Date.UTC(2100, 0));

/** What a consumer of the queue's tests does with each. */
const NAMES = ["echo-0.bin", "throw-1.bin", "echo-2.bin"];

const jobNumber = (number: number): ScanJob =>
  jobFor("eicar", NAMES[number]!, {
    guid: parseGuid(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`),
    artifactIndex: number,
    artifact: {
      kind: "content",
      address: "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG",
      index: number,
    },
    claim: {
      filename: NAMES[number]!,
      mimetype: "text/plain",
      sizeBytes: 70,
      sha256: "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
      raw: { filename: NAMES[number], size: 70, large: 5424999999999999997n },
    },
    deadline,
  });

const opinionOn = (job: ScanJob): ScanAnswer => ({
  ...answerTo(job),
  confidence: 0.95,
  family: "EICAR-Test-File",
  metadata: { scanner: { version: "1" }, large: 5424999999999999997n },
  scannerVersion: "eicar 1",
  sha256: "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
  sizeBytes: 70,
});
const noOpinionOn = (job: ScanJob): ScanAnswer => ({
  ...answerTo(job),
  verdict: "unknown",
  confidence: 0,
  reason: "scanner-error",
  detail: "the scanner fell over",
});
const answering: ScanHandler = async (job) => (job.artifactIndex === 0 ? opinionOn(job) : noOpinionOn(job));

/** Two jobs that are answered, with and without an opinion, and one that waits. */
const jobs = [0, 1, 2].map(jobNumber);

async function redisKeys(secret: string | undefined): Promise<readonly RedisKey[]> {
  await using server = await startRedis();
  const { log } = listening();
  const seal = createSeal(secret);
  const basics = {
    address: parseRedisAddress(server.address),
    queue: "microengine",
    waitMs: 10_000,
    log,
    seal,
  };
  {
    await using queue = await openBullmqQueue({ ...basics, backends: ["eicar"] });
    const answers = new Answers(queue);
    {
      await using work = await openBullmqWork({ ...basics, consumer: "consumer" });
      await work.serve(["eicar"], answering, { concurrency: 1 });
      await queue.dispatch(jobs.slice(0, 2));
      await answers.toAll(jobs.slice(0, 2));
    }
    await queue.dispatch(jobs.slice(2));
  }
  const redis = new Redis({ host: server.host, port: server.port });
  try {
    const keys = (await redis.keys("*")).toSorted();
    return (await Promise.all(keys.map((key) => readKey(redis, key)))).flat();
  } finally {
    redis.disconnect();
  }
}

/** Presence that lapses with time is left out: it belongs to processes that are gone. */
async function readKey(redis: Redis, key: string): Promise<readonly RedisKey[]> {
  if ((await redis.pttl(key)) >= 0) return [];
  const type = await redis.type(key);
  switch (type) {
    case "string":
      return [{ key, type, value: (await redis.get(key)) ?? "" }];
    case "hash":
      return [{ key, type, value: Object.entries(await redis.hgetall(key)).flat() }];
    case "list":
      return [{ key, type, value: await redis.lrange(key, 0, -1) }];
    case "set":
      return [{ key, type, value: await redis.smembers(key) }];
    case "zset":
      return [{ key, type, value: await redis.zrange(key, "0", "-1", "WITHSCORES") }];
    case "stream":
      return [{ key, type, value: await redis.xrange(key, "-", "+") }];
    default:
      throw new Error(`${key} is a ${type}`);
  }
}

/** What the producer and a consumer that it started said to each other. */
async function pipe(): Promise<WrittenQueue["pipe"]> {
  const toConsumer: unknown[] = [];
  const toProducer: unknown[] = [];
  const order: ConsumerOrder = { kind: "embedded", backends: ["eicar"], concurrency: 1 };
  const child = fork(CONSUMER, [JSON.stringify(order)], { stdio: "inherit" });
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  child.send = ((...args: unknown[]) => {
    toConsumer.push(args[0]);
    return send(...args);
  }) as ChildProcess["send"];
  child.on("message", (message) => {
    if (readToProducer(message) !== undefined) toProducer.push(message);
  });
  const queue = openEmbeddedQueue({ spawn: () => child, consumers: 1, log: listening().log });
  const answers = new Answers(queue);
  await queue.dispatch(jobs.slice(0, 2));
  await answers.toAll(jobs.slice(0, 2));
  await queue[Symbol.asyncDispose]();
  return { toConsumer, toProducer };
}

const written: WrittenQueue = {
  jobs: jobs.map(({ id }) => id),
  redis: await redisKeys(undefined),
  sealed: await redisKeys(SECRET),
  pipe: await pipe(),
};
mkdirSync(target, { recursive: true });
writeFileSync(join(target, "queue.json"), `${JSON.stringify(written, undefined, 1)}\n`);
