import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { openBullmqWork } from "../../src/queue/bullmq/consumer.ts";
import { openBullmqQueue } from "../../src/queue/bullmq/producer.ts";
import { encodeJob } from "../../src/queue/job-codec.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { Crew, hears } from "../fixtures/queue/crew.ts";
import { Answers, answerTo, jobFor } from "../fixtures/queue/jobs.ts";
import { listening } from "../fixtures/queue/listening.ts";
import { startRedis } from "../fixtures/queue/redis-server.ts";

const log = pino({ level: process.env.LOG_LEVEL ?? "silent" }, pino.destination(2));

/** A queue named "q" on a Redis of its own, with a consumer for backend "a" if wanted. */
async function open(consumers: number, told = log, concurrency = 1) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startRedis());
  const crew = stack.adopt(new Crew(), (it) => it.dismiss());
  const basics = { queue: "q", backends: ["a"] };
  const order = { kind: "redis", redis: server.address, concurrency, ...basics } as const;
  await Promise.all(Array.from({ length: consumers }, () => hears(crew.hire(order), "ready")));
  const address = parseRedisAddress(server.address);
  const queue = stack.use(await openBullmqQueue({ address, waitMs: 0, log: told, ...basics }));
  const { host, port } = server;
  const bullmq = { connection: { host, port }, prefix: "{q}" };
  const redis = stack.adopt(new Redis({ host, port }), (it) => it.disconnect());
  redis.on("error", () => {});
  return { server, crew, queue, bullmq, redis, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe.concurrent("the scan queue on Redis", () => {
  it("refuses jobs with a retryable fault while Redis is away, and says when it is back", async () => {
    await using test = await open(1);
    const answers = new Answers(test.queue);
    const back = new Promise<void>((resolve) => test.queue.onReconnect(resolve));
    const job = jobFor("a", "echo");
    await test.server.kill();
    const refused = { code: "QUEUE_UNREACHABLE", retryable: true };
    await expect(test.queue.dispatch([job])).rejects.toMatchObject(refused);
    await expect(test.queue.answersTo([job.id])).rejects.toMatchObject(refused);
    await expect(test.queue.backlog()).rejects.toMatchObject(refused);
    expect(test.queue.healthy()).toBe(false);
    await test.server.start();
    await back;
    expect(test.queue.healthy()).toBe(true);
    await test.queue.dispatch([job]);
    expect((await answers.to(job.id)).verdict).toBe("malicious");
  });

  it("brings the answers of jobs that were dispatched again after Redis lost its memory", async () => {
    await using test = await open(1);
    const answers = new Answers(test.queue);
    const jobs = [jobFor("a", "held"), jobFor("a", "echo"), jobFor("a", "echo")];
    const [held] = jobs;
    const back = new Promise<void>((resolve) => test.queue.onReconnect(resolve));
    await test.queue.dispatch(jobs);
    const first = await test.crew.takes(held?.id ?? "");
    await test.server.kill();
    first.child.send({ kind: "release", jobId: held?.id });
    await test.server.start();
    await back;
    expect(await test.queue.answersTo(jobs.map((job) => job.id))).toEqual([]);
    await test.queue.dispatch(jobs);
    const second = await test.crew.takes(held?.id ?? "", 2);
    second.child.send({ kind: "release", jobId: held?.id });
    await answers.toAll(jobs);
  });

  it("keeps what was answered while every connection was cut", async () => {
    await using test = await open(1);
    const answers = new Answers(test.queue);
    const back = new Promise<void>((resolve) => test.queue.onReconnect(resolve));
    const job = jobFor("a", "held");
    await test.queue.dispatch([job]);
    const { child } = await test.crew.takes(job.id);
    await test.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    child.send({ kind: "release", jobId: job.id });
    await back;
    expect(await answers.to(job.id)).toMatchObject({ verdict: "malicious" });
    expect(await test.queue.answersTo([job.id])).toMatchObject([{ jobId: job.id, verdict: "malicious" }]);
  });

  it("scans a job once that comes again while it runs, because Redis lost its memory", async () => {
    await using test = await open(1, log, 2);
    const answers = new Answers(test.queue);
    const [held, other] = [jobFor("a", "held"), jobFor("a", "echo")];
    const back = new Promise<void>((resolve) => test.queue.onReconnect(resolve));
    await test.queue.dispatch([held]);
    const { child } = await test.crew.takes(held.id);
    await test.server.kill();
    await test.server.start();
    await back;
    await test.queue.dispatch([held]);
    // Its lock is renewed by who works on it.
    const lock = `{q}:a:${held.id}:lock`;
    for (let left = -2, last = -2; left <= last || last < 0; )
      [last, left] = [left, await test.redis.pttl(lock)];
    child.send({ kind: "release", jobId: held.id });
    expect(await answers.to(held.id)).toMatchObject({ verdict: "malicious" });
    await test.queue.dispatch([other]);
    await answers.to(other.id);
    expect(test.crew.starts(held.id)).toBe(1);
  });

  it("is asked with patience, and complained of once, while it takes no writes", async () => {
    await using primary = await startRedis();
    await using server = await startRedis(
      ...["--replicaof", ...primary.address.split(":")],
      // Else it keeps what it is sent in a file, in the folder where the tests run.
      ...["--repl-diskless-load", "on-empty-db"],
    );
    const { log: heard, entries, says } = listening();
    const address = parseRedisAddress(server.address);
    const basics = { address, queue: "q", waitMs: 10_000 };
    await using work = await openBullmqWork({ ...basics, consumer: "c", log: heard });
    await work.serve(["a"], async (job) => answerTo(job), { concurrency: 1 });
    await says("queue.worker-error");
    const { host, port } = server;
    const redis = new Redis({ host, port });
    const complaints = () =>
      entries.filter(({ msg, why }) => msg === "queue.worker-error" && /^READONLY/.test(String(why)));
    while (complaints().length < 4) await redis.ping();
    expect(complaints().filter(({ level }) => level === 40)).toHaveLength(1);
    await redis.replicaof("NO", "ONE");
    redis.disconnect();
    await using queue = await openBullmqQueue({ ...basics, backends: ["a"], log });
    const answers = new Answers(queue);
    const job = jobFor("a", "echo");
    await queue.dispatch([job]);
    expect(await answers.to(job.id)).toMatchObject({ verdict: "malicious" });
  });

  it("says once why Redis, which can be reached, takes no jobs, and says it anew the next time", async () => {
    const { log: heard, entries } = listening();
    await using test = await open(0, heard);
    const refused = () => entries.filter(({ msg }) => msg === "queue.refused");
    for (const times of [1, 2]) {
      await test.redis.config("SET", "maxmemory", "1");
      for (const job of [jobFor("a", "echo"), jobFor("a", "echo")])
        await expect(test.queue.dispatch([job])).rejects.toMatchObject({ code: "QUEUE_UNREACHABLE" });
      expect(refused()).toHaveLength(times);
      await test.redis.config("SET", "maxmemory", "0");
      await test.queue.dispatch([jobFor("a", "echo")]);
    }
    expect(refused()[0]).toMatchObject({ level: 40, queue: "q", why: expect.stringMatching("OOM") });
  });

  it("hears answers again after Redis stood still for longer than anybody waits for it", async () => {
    const { log: heard, says } = listening();
    await using test = await open(1, heard);
    const answers = new Answers(test.queue);
    const back = new Promise<void>((resolve) => test.queue.onReconnect(resolve));
    const consumer = listening();
    const address = parseRedisAddress(test.server.address);
    const elsewhere = { address, queue: "other", consumer: "c", waitMs: 0, log: consumer.log };
    await using work = await openBullmqWork(elsewhere);
    await work.serve(["a"], async (job) => answerTo(job), { concurrency: 1 });
    test.server.freeze();
    await Promise.all([says("queue.interrupted"), consumer.says("queue.worker-error")]);
    test.server.thaw();
    await back;
    // Of a lost connection its own owner tells.
    const complaints = consumer.entries.filter(
      ({ msg, level }) => msg === "queue.worker-error" && level === 40,
    );
    expect(complaints.map(({ why }) => why)).toEqual([]);
    const job = jobFor("a", "echo");
    await test.queue.dispatch([job]);
    expect(await answers.to(job.id)).toMatchObject({ verdict: "malicious" });
    expect(test.queue.healthy()).toBe(true);
  });

  it("answers invalid-result for a consumer that returned something else, or another job's answer", async () => {
    await using test = await open(0);
    const answers = new Answers(test.queue);
    const [garbage, other] = [jobFor("a", "echo"), jobFor("a", "echo")];
    await using stack = new AsyncDisposableStack();
    const stranger = async ({ id }: { id?: string }) =>
      id === garbage.id ? { verdict: "fine" } : { jobId: "x" };
    stack.adopt(new Worker("a", stranger, test.bullmq), (it) => it.close());
    await test.queue.dispatch([garbage, other]);
    for (const answer of await answers.toAll([garbage, other])) {
      expect(answer).toMatchObject({ verdict: "unknown", confidence: 0, reason: "invalid-result" });
    }
  });

  it("answers for a malformed job where its id can be read, drops it where not, and goes on", async () => {
    await using test = await open(1);
    const answers = new Answers(test.queue);
    const [malformed, misnamed, good] = [jobFor("a", "echo"), jobFor("a", "echo"), jobFor("a", "echo")];
    await using stack = new AsyncDisposableStack();
    const raw = stack.adopt(new Queue("a", test.bullmq), (it) => it.close());
    await raw.add("scan", { what: "is this" }, { jobId: "nobody-knows" });
    await raw.add("scan", { ...encodeJob(malformed), uri: 7 }, { jobId: malformed.id });
    await raw.add("scan", encodeJob(good), { jobId: misnamed.id });
    await test.queue.dispatch([good]);
    for (const { id } of [malformed, misnamed]) {
      expect(await answers.to(id)).toMatchObject({ verdict: "unknown", reason: "invalid-result" });
    }
    expect(await answers.to(good.id)).toMatchObject({ verdict: "malicious" });
    expect(answers.heard).toHaveLength(3);
    await test.crew.takes(good.id);
    expect(test.crew.starts(good.id)).toBe(1);
  });

  it("reads on behind an entry of the event stream that is not BullMQ's", async () => {
    await using test = await open(1);
    const answers = new Answers(test.queue);
    const back = new Promise<void>((resolve) => test.queue.onReconnect(resolve));
    await test.redis.xadd("{q}:a:events", "*", "event", "completed", "jobId", "x", "returnvalue", "not json");
    await back;
    const job = jobFor("a", "echo");
    await test.queue.dispatch([job]);
    expect(await answers.to(job.id)).toMatchObject({ verdict: "malicious" });
  });

  it("lets a producer that was started again find the answers of the one before", async () => {
    await using test = await open(1);
    const answers = new Answers(test.queue);
    const job = jobFor("a", "echo");
    await test.queue.dispatch([job]);
    const answer = await answers.to(job.id);
    await test.queue[Symbol.asyncDispose]();
    const address = parseRedisAddress(test.server.address);
    await using next = await openBullmqQueue({ address, waitMs: 0, log, queue: "q", backends: [] });
    expect(await next.answersTo([job.id])).toEqual([answer]);
  });

  it("asks again for what may be lost when Redis forgets behind a connection that holds", async () => {
    const { log: heard, says } = listening();
    await using test = await open(0, heard);
    const back = new Promise<void>((resolve) => test.queue.onReconnect(resolve));
    await test.redis.flushall();
    await says("queue.memory-lost");
    await back;
    expect(test.queue.healthy()).toBe(true);
  });

  it("knows which backends have a consumer that can scan, and until when", async ({ expect }) => {
    await using test = await open(0);
    expect([...test.queue.served()]).toEqual([]);
    const address = parseRedisAddress(test.server.address);
    const able = ["a"];
    const work = await openBullmqWork({ address, queue: "q", consumer: "c", waitMs: 0, log });
    await work.serve(["a"], async (job) => answerTo(job), { concurrency: 1, able: () => able });
    await expect.poll(() => [...test.queue.served()]).toEqual(["a"]);
    // Its service is down: it still answers, but nothing of use.
    able.pop();
    await expect.poll(() => [...test.queue.served()]).toEqual([]);
    able.push("a");
    await expect.poll(() => [...test.queue.served()]).toEqual(["a"]);
    await work[Symbol.asyncDispose]();
    await expect.poll(() => [...test.queue.served()]).toEqual([]);
  });

  it("leaves nothing of a forgotten job in Redis", async () => {
    await using test = await open(1);
    const answers = new Answers(test.queue);
    const [answered, waiting] = [jobFor("a", "echo"), jobFor("b", "echo")];
    await test.queue.dispatch([answered, waiting]);
    await answers.to(answered.id);
    await test.queue.forget([answered.id, waiting.id]);
    expect(await test.redis.keys("*side-*")).toEqual([]);
    expect(await test.queue.backlog()).toEqual({ a: 0, b: 0 });
    expect(await test.redis.zcard("{q}:a:completed")).toBe(0);
  });
});
