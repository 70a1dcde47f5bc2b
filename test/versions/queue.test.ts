import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { ScanJob } from "../../src/domain/scan.ts";
import { openBullmqWork } from "../../src/queue/bullmq/consumer.ts";
import { openBullmqQueue } from "../../src/queue/bullmq/producer.ts";
import { readToConsumer, readToProducer } from "../../src/queue/embedded/messages.ts";
import { decodeAnswer, decodeJob } from "../../src/queue/job-codec.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { createSeal } from "../../src/redis/seal.ts";
import { Answers, answerTo } from "../fixtures/queue/jobs.ts";
import { listening } from "../fixtures/queue/listening.ts";
import { startRedis } from "../fixtures/queue/redis-server.ts";
import { type RedisKey, SECRET, type WrittenQueue } from "./queue.ts";

const VERSIONS = ["version-0.1"];

const read = (version: string): WrittenQueue =>
  JSON.parse(readFileSync(new URL(`../fixtures/${version}/queue.json`, import.meta.url), "utf8"));

async function write(redis: Redis, { key, type, value }: RedisKey): Promise<void> {
  if (type === "string") await redis.set(key, value);
  if (type === "hash") await redis.hset(key, ...value);
  if (type === "list") await redis.rpush(key, ...value);
  if (type === "set") await redis.sadd(key, ...value);
  if (type === "zset") {
    for (let at = 0; at < value.length; at += 2) await redis.zadd(key, value[at + 1]!, value[at]!);
  }
  if (type === "stream") for (const [id, fields] of value) await redis.xadd(key, id, ...fields);
}

/** A Redis that holds these keys. */
async function redisWith(keys: readonly RedisKey[]) {
  const server = await startRedis();
  const redis = new Redis({ host: server.host, port: server.port });
  for (const key of keys) await write(redis, key);
  redis.disconnect();
  return server;
}

describe.for(VERSIONS)("what the queue of %s left behind", (version) => {
  const written = read(version);
  const [opinion, noOpinion, waiting] = written.jobs as [string, string, string];
  const genuine = (index: number) => ({
    artifactIndex: index,
    artifact: { kind: "content", address: "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG", index },
    maxSizeBytes: 1_000_000,
    backend: "eicar",
    claim: CLAIMED,
  });
  const CLAIMED = { mimetype: "text/plain", sizeBytes: 70, raw: { large: 5424999999999999997n } };

  it.for([
    ["in Redis", written.redis, undefined],
    ["in Redis under a secret", written.sealed, SECRET],
  ] as const)("%s is read: a job that waits is scanned, and answers are found", async ([, keys, secret]) => {
    await using server = await redisWith(keys);
    const seal = createSeal(secret);
    const basics = { queue: "microengine", waitMs: 10_000, log: listening().log, seal };
    const address = parseRedisAddress(server.address);
    await using queue = await openBullmqQueue({ ...basics, address, backends: ["eicar"] });
    const found = await queue.answersTo(written.jobs);
    expect(found.map(({ jobId, verdict }) => [jobId, verdict])).toEqual([
      [opinion, "malicious"],
      [noOpinion, "unknown"],
    ]);
    expect(found[0]).toMatchObject({ family: "EICAR-Test-File", metadata: { large: 5424999999999999997n } });
    expect(found[1]).toMatchObject({ reason: "scanner-error" });
    expect(await queue.backlog()).toEqual({ eicar: 1 });

    const answers = new Answers(queue);
    const taken: ScanJob[] = [];
    await using work = await openBullmqWork({ ...basics, address, consumer: "consumer" });
    const handler = async (job: ScanJob) => {
      taken.push(job);
      return answerTo(job);
    };
    await work.serve(["eicar"], handler, { concurrency: 1 });
    expect(await answers.to(waiting)).toMatchObject({ verdict: "malicious" });
    expect(taken).toMatchObject([{ ...genuine(2), id: waiting }]);
  });

  it("between processes is read on both sides", () => {
    const jobs = written.pipe.toConsumer.flatMap((message) => {
      const told = readToConsumer(message);
      expect(told).toBeDefined();
      return told?.kind === "job" ? [decodeJob(told.job, expect.unreachable)] : [];
    });
    expect(jobs).toMatchObject([
      { ...genuine(0), id: opinion },
      { ...genuine(1), id: noOpinion },
    ]);
    const answers = written.pipe.toProducer.flatMap((message) => {
      const told = readToProducer(message);
      expect(told).toBeDefined();
      return told?.kind === "answer" ? [decodeAnswer(told.jobId, told.answer)] : [];
    });
    expect(answers).toMatchObject([
      { verdict: "malicious", confidence: 1, jobId: opinion },
      { verdict: "unknown", reason: "scanner-error", jobId: noOpinion },
    ]);
  });
});
