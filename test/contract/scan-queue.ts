import { describe, expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import type { ScanQueue } from "../../src/queue/port.ts";
import { type Crew, hears } from "../fixtures/queue/crew.ts";
import { Answers, jobFor } from "../fixtures/queue/jobs.ts";

export interface CrewSpec {
  readonly consumers: number;
  /** Default: only "a". */
  readonly backends?: readonly string[];
  readonly concurrency?: number;
  /** Default: as many as over all. */
  readonly perBackend?: number;
}

/** A queue with consumers of its own, all of them real processes. */
export interface QueueUnderTest extends AsyncDisposable {
  readonly queue: ScanQueue;
  readonly crew: Crew;
}

/** What every scan queue promises the producer, whatever it is made of. */
export function describeScanQueue(kind: string, open: (spec: CrewSpec) => Promise<QueueUnderTest>): void {
  describe.concurrent(`the ${kind} scan queue`, () => {
    it("brings a consumer's answer to the producer's listener, amounts beyond 2^53 included", async () => {
      await using test = await open({ consumers: 1 });
      const answers = new Answers(test.queue);
      const raw = { size: 5424999999999999997n };
      const job = jobFor("a", "echo", { claim: { filename: "echo", raw } });
      await test.queue.dispatch([job]);
      const answer = await answers.to(job.id);
      expect(answer).toMatchObject({ verdict: "malicious", confidence: 1, guid: job.guid, backend: "a" });
      expect(answer.metadata).toEqual({ claimed: raw });
    });

    it("runs a job once however often it is dispatched, also after it was answered", async () => {
      await using test = await open({ consumers: 2 });
      const answers = new Answers(test.queue);
      const job = jobFor("a", "held");
      const after = jobFor("a", "echo");
      await test.queue.dispatch([job, job]);
      const { child } = await test.crew.takes(job.id);
      await test.queue.dispatch([job]);
      child.send({ kind: "release", jobId: job.id });
      await answers.to(job.id);
      await test.queue.dispatch([job]);
      await test.queue.dispatch([after]);
      await answers.to(after.id);
      expect(test.crew.starts(job.id)).toBe(1);
      expect(answers.heard.filter((answer) => answer.jobId === job.id)).toHaveLength(1);
    });

    it("finds the answers it holds, and none for jobs that are not answered or not its own", async () => {
      await using test = await open({ consumers: 1 });
      const answers = new Answers(test.queue);
      const [done, held, strange] = [jobFor("a", "echo"), jobFor("a", "held"), jobFor("b", "echo")];
      await test.queue.dispatch([done, held]);
      const answer = await answers.to(done.id);
      expect(await test.queue.answersTo([done.id, held.id, strange.id, "not a job"])).toEqual([answer]);
    });

    it("gives the job of a consumer that was killed to another one within seconds", async () => {
      await using test = await open({ consumers: 2 });
      const answers = new Answers(test.queue);
      const job = jobFor("a", "held");
      await test.queue.dispatch([job]);
      const first = await test.crew.takes(job.id);
      first.child.kill("SIGKILL");
      const second = await test.crew.takes(job.id, 2);
      second.child.send({ kind: "release", jobId: job.id });
      expect(await answers.to(job.id)).toMatchObject({ verdict: "malicious", consumer: second.consumer });
      expect(second.consumer).not.toBe(first.consumer);
    });

    it("answers crashed for a job that has killed two consumers, and starts it no third time", async () => {
      await using test = await open({ consumers: 3 });
      const answers = new Answers(test.queue);
      const poison = jobFor("a", "crash");
      await test.queue.dispatch([poison]);
      const answer = await answers.to(poison.id);
      expect(answer).toMatchObject({
        verdict: "unknown",
        confidence: 0,
        reason: "crashed",
        guid: poison.guid,
      });
      expect(test.crew.starts(poison.id)).toBe(2);
      expect(await test.queue.answersTo([poison.id])).toEqual([answer]);
      const healthy = jobFor("a", "echo");
      await test.queue.dispatch([healthy]);
      expect((await answers.to(healthy.id)).verdict).toBe("malicious");
    });

    it("never hands a job past its deadline to a scanner, and answers expired", async () => {
      await using test = await open({ consumers: 1 });
      const answers = new Answers(test.queue);
      const late = jobFor("a", "echo", { deadline: instant(Date.now() - 1) });
      await test.queue.dispatch([late]);
      expect(await answers.to(late.id)).toMatchObject({ verdict: "unknown", reason: "expired" });
      expect(test.crew.starts(late.id)).toBe(0);
    });

    it("tells a scanner by its signal that the deadline has come", async () => {
      await using test = await open({ consumers: 1 });
      const answers = new Answers(test.queue);
      const job = jobFor("a", "held", { deadline: instant(Date.now() + 2_000) });
      await test.queue.dispatch([job]);
      await test.crew.takes(job.id);
      expect(await answers.to(job.id)).toMatchObject({ verdict: "unknown", reason: "cancelled" });
    });

    it("turns what is no answer, and a handler that throws, into unknown with a reason", async () => {
      await using test = await open({ consumers: 1 });
      const answers = new Answers(test.queue);
      const [nonsense, thrown] = [jobFor("a", "nonsense"), jobFor("a", "throw")];
      await test.queue.dispatch([nonsense, thrown]);
      expect(await answers.to(nonsense.id)).toMatchObject({ verdict: "unknown", reason: "invalid-result" });
      expect(await answers.to(thrown.id)).toMatchObject({
        verdict: "unknown",
        reason: "scanner-error",
        detail: "the scanner fell over",
      });
    });

    it("takes the job with the nearest deadline first, and the oldest of equals", async () => {
      await using test = await open({ consumers: 1 });
      const answers = new Answers(test.queue);
      const held = jobFor("a", "held");
      const inSeconds = (seconds: number) =>
        jobFor("a", "echo", { deadline: instant(Math.floor(Date.now() / 1_000) * 1_000 + seconds * 1_000) });
      const [late, soon, alsoSoon, next] = [inSeconds(90), inSeconds(60), inSeconds(60), inSeconds(30)];
      await test.queue.dispatch([held]);
      const { child } = await test.crew.takes(held.id);
      for (const job of [late, soon, alsoSoon, next]) await test.queue.dispatch([job]);
      child.send({ kind: "release", jobId: held.id });
      await answers.toAll([late]);
      await test.crew.takes(late.id);
      const order = [held, next, soon, alsoSoon, late].map((job) => job.id);
      expect(test.crew.taken.map((taken) => taken.jobId)).toEqual(order);
    });

    it("takes back jobs that nobody has started", async () => {
      await using test = await open({ consumers: 1 });
      const answers = new Answers(test.queue);
      const [held, waiting, after] = [jobFor("a", "held"), jobFor("a", "echo"), jobFor("a", "echo")];
      await test.queue.dispatch([held]);
      const { child } = await test.crew.takes(held.id);
      await test.queue.dispatch([waiting, after]);
      await test.queue.forget([waiting.id]);
      child.send({ kind: "release", jobId: held.id });
      await answers.to(after.id);
      expect(test.crew.starts(waiting.id)).toBe(0);
    });

    it("drops the answers it is told to forget, and would run the job again", async () => {
      await using test = await open({ consumers: 1 });
      const answers = new Answers(test.queue);
      const job = jobFor("a", "echo");
      await test.queue.dispatch([job]);
      await answers.to(job.id);
      await test.queue.forget([job.id]);
      expect(await test.queue.answersTo([job.id])).toEqual([]);
      await test.queue.dispatch([job]);
      await test.crew.takes(job.id, 2);
    });

    it("counts the jobs that wait for a consumer, by backend, and not those being worked on", async () => {
      await using test = await open({ consumers: 1 });
      const held = jobFor("a", "held");
      await test.queue.dispatch([held]);
      await test.crew.takes(held.id);
      await test.queue.dispatch([jobFor("a", "echo"), jobFor("a", "echo"), jobFor("b", "echo")]);
      expect(await test.queue.backlog()).toEqual({ a: 2, b: 1 });
    });

    it("never shows a backend's jobs to a consumer of another backend", async () => {
      await using test = await open({ consumers: 1, backends: ["a"] });
      const answers = new Answers(test.queue);
      const [other, mine] = [jobFor("b", "echo"), jobFor("a", "echo")];
      await test.queue.dispatch([other]);
      await test.queue.dispatch([mine]);
      await answers.to(mine.id);
      expect(test.crew.starts(other.id)).toBe(0);
      expect(await test.queue.backlog()).toMatchObject({ b: 1 });
    });

    it("lets a consumer of several backends run no more jobs at once than it wants", async () => {
      await using test = await open({ consumers: 1, backends: ["a", "b"], concurrency: 1 });
      const answers = new Answers(test.queue);
      const jobs = ["a", "b", "a", "b", "a", "b", "a", "b"].map((backend) => jobFor(backend, "sleep-30"));
      await test.queue.dispatch(jobs);
      await answers.toAll(jobs);
      expect(test.crew.mostAtOnce).toBe(1);
    });

    it("keeps room for the other backends when one has as many jobs as it may have", async () => {
      await using test = await open({ consumers: 1, backends: ["a", "b"], concurrency: 3, perBackend: 2 });
      const answers = new Answers(test.queue);
      const held = [1, 2, 3].map(() => jobFor("a", "held"));
      for (const job of held) await test.queue.dispatch([job]);
      const taken = await Promise.all(held.slice(0, 2).map((job) => test.crew.takes(job.id)));
      const others = [1, 2, 3].map(() => jobFor("b", "echo"));
      await test.queue.dispatch(others);
      await answers.toAll(others);
      expect(test.crew.starts(held[2]!.id)).toBe(0);
      for (const [at, { child }] of taken.entries()) child.send({ kind: "release", jobId: held[at]!.id });
      const last = await test.crew.takes(held[2]!.id);
      last.child.send({ kind: "release", jobId: held[2]!.id });
      await answers.toAll(held);
    });

    it("leaves a backend's jobs to the others while a consumer is busy with another backend", async () => {
      await using test = await open({ consumers: 2, backends: ["a", "b"], concurrency: 1 });
      const answers = new Answers(test.queue);
      const held = jobFor("a", "held");
      await test.queue.dispatch([held]);
      const { child, consumer } = await test.crew.takes(held.id);
      const others = Array.from({ length: 6 }, () => jobFor("b", "echo"));
      for (const job of others) await test.queue.dispatch([job]);
      for (const answer of await answers.toAll(others)) expect(answer.consumer).not.toBe(consumer);
      child.send({ kind: "release", jobId: held.id });
      await answers.to(held.id);
      expect(test.crew.starts(held.id)).toBe(1);
    });

    it("lets a draining consumer finish what it is at, and gives it nothing more", async () => {
      await using test = await open({ consumers: 2, concurrency: 2 });
      const answers = new Answers(test.queue);
      const held = jobFor("a", "held");
      await test.queue.dispatch([held]);
      const { child, consumer } = await test.crew.takes(held.id);
      const leaving = hears(child, "leaving");
      child.kill("SIGTERM");
      await leaving;
      const others = Array.from({ length: 8 }, () => jobFor("a", "echo"));
      await test.queue.dispatch(others);
      for (const answer of await answers.toAll(others)) expect(answer.consumer).not.toBe(consumer);
      child.send({ kind: "release", jobId: held.id });
      expect(await answers.to(held.id)).toMatchObject({ verdict: "malicious", consumer });
      expect(test.crew.starts(held.id)).toBe(1);
    });

    it("gives the job of a consumer that was told to stop at once to another one", async () => {
      await using test = await open({ consumers: 2 });
      const answers = new Answers(test.queue);
      const held = jobFor("a", "held");
      await test.queue.dispatch([held]);
      const first = await test.crew.takes(held.id);
      first.child.kill("SIGINT");
      const second = await test.crew.takes(held.id, 2);
      second.child.send({ kind: "release", jobId: held.id });
      expect(await answers.to(held.id)).toMatchObject({ verdict: "malicious", consumer: second.consumer });
    });

    for (const consumers of [1, 2, 4]) {
      it(`answers each of 200 jobs exactly once with ${consumers} consumer(s)`, async () => {
        await using test = await open({ consumers });
        const answers = new Answers(test.queue);
        const jobs = Array.from({ length: 200 }, (_, index) =>
          jobFor("a", "sleep-1", { artifactIndex: index }),
        );
        await test.queue.dispatch(jobs);
        await answers.toAll(jobs);
        await Promise.all(jobs.map((job) => test.crew.takes(job.id)));
        expect(answers.heard.map((answer) => answer.jobId).sort()).toEqual(jobs.map((job) => job.id).sort());
        expect(test.crew.taken).toHaveLength(200);
      });
    }

    it("is healthy while it can be used, and not after it was closed", async () => {
      const test = await open({ consumers: 1 });
      expect(test.queue.healthy()).toBe(true);
      await test[Symbol.asyncDispose]();
      expect(test.queue.healthy()).toBe(false);
    });
  });
}
