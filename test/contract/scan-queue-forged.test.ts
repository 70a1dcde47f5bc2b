import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { openBullmqQueue } from "../../src/queue/bullmq/producer.ts";
import { encodeAnswer, encodeJob } from "../../src/queue/job-codec.ts";
import { parseRedisAddress } from "../../src/redis/address.ts";
import { createSeal } from "../../src/redis/seal.ts";
import { Crew, hears } from "../fixtures/queue/crew.ts";
import { Answers, answerTo, jobFor } from "../fixtures/queue/jobs.ts";
import { listening } from "../fixtures/queue/listening.ts";
import { startRedis } from "../fixtures/queue/redis-server.ts";

const SECRET = "the secret of producer and consumer";

/** Where nothing of ours may connect to unless it is certain who says so. */
const URL_OF_A_STRANGER = { kind: "url", url: "https://files.example/a" } as const;

/** A queue on a Redis of its own with a consumer for backend "a"; each side may have a secret of its own. */
async function open(secrets: { producer?: string; consumer?: string }, consumers = 1) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startRedis());
  const crew = stack.adopt(new Crew(), (it) => it.dismiss());
  const { log, entries, says } = listening();
  const address = parseRedisAddress(server.address);
  const basics = { queue: "q", backends: ["a"] };
  const order = {
    ...({ kind: "redis", redis: server.address, concurrency: 1 } as const),
    ...basics,
    ...(secrets.consumer === undefined ? {} : { secret: secrets.consumer }),
  };
  const hired = Array.from({ length: consumers }, () => crew.hire(order));
  await Promise.all(hired.map((child) => hears(child, "ready")));
  let forged = 0;
  const queue = stack.use(
    await openBullmqQueue({
      address,
      waitMs: 0,
      log,
      ...basics,
      seal: createSeal(secrets.producer),
      onForged: () => forged++,
    }),
  );
  const bullmq = { connection: { host: server.host, port: server.port }, prefix: "{q}" };
  return {
    stack,
    crew,
    hired,
    queue,
    bullmq,
    entries,
    says,
    forged: () => forged,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe.concurrent("a queue with a secret", () => {
  it("has no forged job scanned, and none answered with an opinion", async () => {
    await using test = await open({ producer: SECRET, consumer: SECRET });
    const answers = new Answers(test.queue);
    const [plain, replayed, honest] = [jobFor("a", "echo"), jobFor("a", "echo"), jobFor("a", "echo")];
    const raw = test.stack.adopt(new Queue("a", test.bullmq), (it) => it.close());
    const dropped = hears(test.hired[0]!, "forged");
    await raw.add("scan", encodeJob(plain), { jobId: plain.id });
    await dropped;
    const again = hears(test.hired[0]!, "forged");
    await raw.add("scan", createSeal(SECRET).close("job", honest.id, encodeJob(honest)), {
      jobId: replayed.id,
    });
    await again;
    await test.queue.dispatch([honest]);
    expect(await answers.to(honest.id)).toMatchObject({ verdict: "malicious" });
    await test.crew.takes(honest.id);
    expect(test.crew.taken.map(({ jobId }) => jobId)).toEqual([honest.id]);
    for (const { id } of [plain, replayed]) {
      expect(await answers.to(id)).toMatchObject({ verdict: "unknown", reason: "crashed" });
    }
  });

  it("has a forged answer ignored and counted, and the honest one that follows heard", async () => {
    await using test = await open({ producer: SECRET, consumer: SECRET });
    const answers = new Answers(test.queue);
    const job = jobFor("a", "held");
    await test.queue.dispatch([job]);
    const { child } = await test.crew.takes(job.id);
    const lie = { ...encodeAnswer(job, answerTo(job)), verdict: "benign" };
    const redis = test.stack.adopt(new Redis(test.bullmq.connection), (it) => it.disconnect());
    for (const returned of [lie, { sealed: JSON.stringify(lie), mac: "0".repeat(64) }]) {
      const fields = ["event", "completed", "jobId", job.id, "returnvalue", JSON.stringify(returned)];
      await redis.xadd("{q}:a:events", "*", ...fields);
    }
    expect(await test.says("queue.forged-answer")).toMatchObject({ jobId: job.id, level: 40 });
    child.send({ kind: "release", jobId: job.id });
    expect(await answers.to(job.id)).toMatchObject({ verdict: "malicious" });
    expect(answers.heard).toHaveLength(1);
    expect(test.forged()).toBe(2);
    const warnings = test.entries.filter(({ msg, level }) => msg === "queue.forged-answer" && level === 40);
    expect(warnings).toHaveLength(1);
  });

  it("finds no answer where a job was completed by somebody without the secret", async () => {
    await using test = await open({ producer: SECRET, consumer: SECRET }, 0);
    const answers = new Answers(test.queue);
    const job = jobFor("a", "echo");
    const liar = async () => encodeAnswer(job, answerTo(job));
    test.stack.adopt(new Worker("a", liar, test.bullmq), (it) => it.close());
    await test.queue.dispatch([job]);
    await test.says("queue.forged-answer");
    expect(await test.queue.answersTo([job.id])).toEqual([]);
    expect(answers.heard).toEqual([]);
  });

  it("has a job that names a URL scanned", async () => {
    await using test = await open({ producer: SECRET, consumer: SECRET });
    const answers = new Answers(test.queue);
    const job = jobFor("a", "echo", { artifact: URL_OF_A_STRANGER });
    await test.queue.dispatch([job]);
    expect(await answers.to(job.id)).toMatchObject({ verdict: "malicious" });
    await test.crew.takes(job.id);
  });

  it.each([
    ["only the producer has one", { producer: SECRET }],
    ["only the consumer has one", { consumer: SECRET }],
    ["they differ", { producer: SECRET, consumer: `${SECRET}.` }],
  ])("scans nothing when %s, and says why", async (_how, secrets) => {
    await using test = await open(secrets);
    const answers = new Answers(test.queue);
    const dropped = hears(test.hired[0]!, "forged");
    const job = jobFor("a", "echo");
    await test.queue.dispatch([job]);
    await dropped;
    expect(await answers.to(job.id)).toMatchObject({
      verdict: "unknown",
      reason: "crashed",
      detail: expect.stringContaining("QUEUE_SECRET"),
    });
    expect(test.crew.taken).toEqual([]);
  });
});

describe("a queue to which somebody else writes", () => {
  it("has no job scanned that names a URL, says what is missing, and goes on", async () => {
    await using test = await open({});
    const answers = new Answers(test.queue);
    const [job, other] = [jobFor("a", "echo", { artifact: URL_OF_A_STRANGER }), jobFor("a", "echo")];
    await test.queue.dispatch([job]);
    expect(await answers.to(job.id)).toMatchObject({
      verdict: "unknown",
      reason: "download-failed",
      detail: expect.stringContaining("under a QUEUE_SECRET"),
    });
    await test.queue.dispatch([other]);
    await answers.to(other.id);
    await test.crew.takes(other.id);
    expect(test.crew.taken.map(({ jobId }) => jobId)).toEqual([other.id]);
  });

  it("answers an honest job behind 300 malformed ones of 10,000 values each, and warns of them once", async () => {
    await using test = await open({});
    const answers = new Answers(test.queue);
    const raw = test.stack.adopt(new Queue("a", test.bullmq), (it) => it.close());
    const wrong = Array.from({ length: 5_000 }, () => 1);
    for (let number = 0; number < 300; number++) {
      const { id } = jobFor("a", "echo");
      await raw.add(
        "scan",
        { types: wrong, claim: wrong },
        { jobId: number % 2 === 0 ? id : `odd-${number}`, priority: 1 },
      );
    }
    const honest = jobFor("a", "echo");
    await test.queue.dispatch([honest]);
    expect(await answers.to(honest.id)).toMatchObject({ verdict: "malicious" });
    expect(
      test.entries
        .filter(({ msg }) => msg === "queue.foreign-answer")
        .filter(({ level }) => Number(level) > 20).length,
    ).toBeLessThan(2);
  });
});
