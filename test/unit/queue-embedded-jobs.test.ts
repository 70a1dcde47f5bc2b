import { expect, it } from "vitest";
import { type Instant, instant } from "../../src/domain/instant.ts";
import type { ScanJob } from "../../src/domain/scan.ts";
import { answerWithoutOpinion } from "../../src/queue/answer-without-opinion.ts";
import { EmbeddedJobs } from "../../src/queue/embedded/jobs.ts";
import { jobFor } from "../fixtures/queue/jobs.ts";

const NOW = instant(1_800_000_000_000);
const HOUR = 3_600_000;
const after = (ms: number): Instant => instant(NOW + ms);
const due = (backend: string, inMs: number): ScanJob => jobFor(backend, "echo", { deadline: after(inMs) });
const answerTo = (job: ScanJob) => answerWithoutOpinion(job, "no-match", "", { consumer: "one" });

it("a consumer of several backends is given the nearest deadline of them all", () => {
  const jobs = new EmbeddedJobs();
  const [a, b, c] = [due("a", 30), due("b", 10), due("c", 1)];
  for (const job of [a, b, c]) jobs.add(job);
  expect([jobs.start(["a", "b"]), jobs.start(["a", "b"]), jobs.start(["a", "b"])]).toEqual([b, a, undefined]);
  expect(jobs.backlog()).toEqual({ a: 0, b: 0, c: 1 });
});

it("a job is given up at its second death, and a return is no death", () => {
  const jobs = new EmbeddedJobs();
  const job = due("a", 1_000);
  jobs.add(job);
  jobs.start(["a"]);
  jobs.giveBack(job.id);
  jobs.start(["a"]);
  expect(jobs.died(job.id, NOW)).toBeUndefined();
  expect(jobs.start(["a"])).toEqual(job);
  expect(jobs.died(job.id, NOW)).toMatchObject({ jobId: job.id, reason: "crashed" });
  expect(jobs.start(["a"])).toBeUndefined();
});

it("waiting jobs expire at their deadline, those being worked on do not", () => {
  const jobs = new EmbeddedJobs();
  const [running, waiting, later] = [due("a", 5), due("a", 10), due("b", 20)];
  for (const job of [running, waiting, later]) jobs.add(job);
  jobs.start(["a"]);
  expect(jobs.nextDeadline()).toBe(after(10));
  expect(jobs.expire(after(9))).toEqual([]);
  expect(jobs.expire(after(10))).toMatchObject([{ jobId: waiting.id, reason: "expired" }]);
  expect(jobs.nextDeadline()).toBe(after(20));
  expect(jobs.expire(after(20))).toHaveLength(1);
  expect(jobs.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
});

it("an answer to a job that nobody is working on is not heard", () => {
  const jobs = new EmbeddedJobs();
  const job = due("a", 10);
  jobs.add(job);
  expect(jobs.answer(answerTo(job), NOW)).toBe(false);
  jobs.start(["a"]);
  expect(jobs.answer(answerTo(job), NOW)).toBe(true);
  expect(jobs.answer(answerTo(job), NOW)).toBe(false);
  expect(jobs.answersTo([job.id])).toHaveLength(1);
});

it("answers are forgotten after an hour, so that a producer that never forgets does not grow", () => {
  const jobs = new EmbeddedJobs();
  const [old, young] = [due("a", 10), due("a", 20)];
  for (const [job, at] of [
    [old, NOW],
    [young, after(HOUR + 1)],
  ] as const) {
    jobs.add(job);
    jobs.start(["a"]);
    jobs.answer(answerTo(job), at);
  }
  expect(jobs.answersTo([old.id, young.id]).map((answer) => answer.jobId)).toEqual([young.id]);
});
