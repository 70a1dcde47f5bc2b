import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { openEmbeddedWork } from "../../src/queue/embedded/consumer.ts";
import { openEmbeddedQueue } from "../../src/queue/embedded/producer.ts";
import { encodeJob } from "../../src/queue/job-codec.ts";
import { Crew, hears } from "../fixtures/queue/crew.ts";
import { Answers, jobFor } from "../fixtures/queue/jobs.ts";

const log = pino({ level: process.env.LOG_LEVEL ?? "silent" }, pino.destination(2));
const ORDER = { kind: "embedded", backends: ["a"], concurrency: 1 } as const;

describe.concurrent("the embedded scan queue's consumers", () => {
  it("are started again when they die, and the queue is healthy again", async () => {
    const crew = new Crew();
    const hired: ChildProcess[] = [];
    const again = Promise.withResolvers<ChildProcess>();
    const hire = (): ChildProcess => {
      const child = crew.hire(ORDER);
      if (hired.push(child) === 2) again.resolve(child);
      return child;
    };
    await using queue = openEmbeddedQueue({ spawn: hire, consumers: 1, log });
    const answers = new Answers(queue);
    const first = hired[0] as ChildProcess;
    await hears(first, "ready");
    expect(queue.healthy()).toBe(true);
    first.kill("SIGKILL");
    await once(first, "exit");
    const second = await again.promise;
    expect(queue.healthy()).toBe(false);
    await hears(second, "ready");
    expect(queue.healthy()).toBe(true);
    const job = jobFor("a", "echo");
    await queue.dispatch([job]);
    expect((await answers.to(job.id)).verdict).toBe("malicious");
  });

  it("take a job that names a URL without a secret: nothing but the producer writes to them", async () => {
    const crew = new Crew();
    await using queue = openEmbeddedQueue({ spawn: () => crew.hire(ORDER), consumers: 1, log });
    const answers = new Answers(queue);
    const job = jobFor("a", "echo", { artifact: { kind: "url", url: "https://files.example/a" } });
    await queue.dispatch([job]);
    expect(await answers.to(job.id)).toMatchObject({ verdict: "malicious" });
    expect(crew.starts(job.id)).toBe(1);
  });

  it("may be impossible to start: jobs then expire, and nothing is thrown", async () => {
    const spawnNothing = () =>
      spawn("/nonexistent/consumer", [], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
    await using queue = openEmbeddedQueue({ spawn: spawnNothing, consumers: 1, log });
    const answers = new Answers(queue);
    const job = jobFor("a", "echo", { deadline: jobFor("a", "echo").dispatchedAt });
    await queue.dispatch([job]);
    expect(await answers.to(job.id)).toMatchObject({ verdict: "unknown", reason: "expired" });
    expect(queue.healthy()).toBe(false);
  });

  it("finish what they are at when the queue is closed, and what does not end is killed", async () => {
    const crew = new Crew();
    const children: ChildProcess[] = [];
    const hire = (): ChildProcess => {
      const child = crew.hire(ORDER);
      children.push(child);
      return child;
    };
    const queue = openEmbeddedQueue({ spawn: hire, consumers: 2, log });
    const answers = new Answers(queue);
    await Promise.all(children.map((child) => hears(child, "ready")));
    const [stuck, brief] = [jobFor("a", "held"), jobFor("a", "sleep-50")];
    await queue.dispatch([stuck, brief]);
    await Promise.all([crew.takes(stuck.id), crew.takes(brief.id)]);
    const exits = Promise.all(children.map((child) => once(child, "exit")));
    await queue[Symbol.asyncDispose]();
    expect((await answers.to(brief.id)).verdict).toBe("malicious");
    expect((await exits).map(([, signal]) => signal).sort()).toEqual(["SIGKILL", null]);
    expect(children).toHaveLength(2);
  });

  it("return a job that crossed their wish to leave, and are sent no more once it is known", async () => {
    const crew = new Crew();
    const children: ChildProcess[] = [];
    const returned: ChildProcess[] = [];
    const hire = (): ChildProcess => {
      const child = crew.hire({ ...ORDER, concurrency: 2 });
      child.on("message", (message: { kind?: string }) => {
        if (message.kind === "returned") returned.push(child);
      });
      children.push(child);
      return child;
    };
    await using queue = openEmbeddedQueue({ spawn: hire, consumers: 2, log });
    const answers = new Answers(queue);
    await Promise.all(children.map((child) => hears(child, "ready")));
    const held = jobFor("a", "held");
    await queue.dispatch([held]);
    const { child } = await crew.takes(held.id);
    const leaving = hears(child, "leaving");
    child.kill("SIGTERM");
    await leaving;
    const others = Array.from({ length: 8 }, () => jobFor("a", "echo"));
    await queue.dispatch(others);
    await answers.toAll(others);
    expect(returned).toEqual([]);
    const crossing = encodeJob(jobFor("a", "echo"));
    const back = hears(child, "returned");
    child.send({ kind: "job", job: crossing });
    await back;
    expect(crew.starts(crossing.id)).toBe(0);
    child.send({ kind: "release", jobId: held.id });
    await answers.to(held.id);
  });

  it("end when their producer is gone, whatever they are at", async () => {
    const crew = new Crew();
    const child = crew.hire(ORDER);
    await hears(child, "ready");
    const job = jobFor("a", "sleep-600000");
    child.send({ kind: "job", job: encodeJob(job) });
    await crew.takes(job.id);
    const exit = once(child, "exit");
    child.disconnect();
    expect(await exit).toEqual([0, null]);
  });

  it("pass over messages that are not theirs, and jobs that cannot be read", async () => {
    const crew = new Crew();
    const children: ChildProcess[] = [];
    const hire = (): ChildProcess => {
      const child = crew.hire(ORDER);
      children.push(child);
      return child;
    };
    await using queue = openEmbeddedQueue({ spawn: hire, consumers: 1, log });
    const answers = new Answers(queue);
    for (const message of ["hello", { kind: "job", job: { id: 1 } }, { kind: "jobs" }]) {
      for (const child of children) child.send(message);
    }
    const job = jobFor("a", "echo");
    await queue.dispatch([job]);
    expect((await answers.to(job.id)).verdict).toBe("malicious");
  });

  it("are refused a start by anybody but a producer, in one line", () => {
    const alone = { on: () => {}, off: () => {} };
    const open = () => openEmbeddedWork({ channel: alone, consumer: "alone", log });
    expect(open).toThrow(expect.objectContaining({ name: "ConfigFault", code: "NOT_A_CHILD" }));
  });
});
