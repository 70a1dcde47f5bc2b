import { getEventListeners } from "node:events";
import { expect, it, vi } from "vitest";
import { Fault } from "../../src/domain/fault.ts";
import { type Instant, instant } from "../../src/domain/instant.ts";
import type { ScanAnswer, ScanJob } from "../../src/domain/scan.ts";
import { jobsOf } from "../../src/producer/answering/artifact-in-work.ts";
import { Collector } from "../../src/producer/answering/collector.ts";
import type { ScanQueue } from "../../src/queue/port.ts";
import { aBounty, anAnswer, contentReference } from "../fixtures/bounties.ts";
import { hearingCollector } from "../fixtures/queue/hearing-collector.ts";

const clock = { now: () => instant(Date.now()) };
const later = (): Instant => instant(Date.now() + 60_000);

/** A queue that does what the test tells it to. */
class HandQueue implements ScanQueue {
  readonly dispatched: ScanJob[] = [];
  readonly kept: ScanAnswer[] = [];
  answer: (answer: ScanAnswer) => void = () => {};
  reconnect: () => void = () => {};
  listeners = 0;

  away = false;
  refusal: Fault | undefined;
  /** Until it resolves no job is accepted. */
  slow: Promise<void> | undefined;
  /** How often jobs were given. */
  times = 0;
  readonly #given = Promise.withResolvers<void>();
  /** Resolves when jobs were given and their answers asked for. */
  readonly given = this.#given.promise.then(() => new Promise<void>((resolve) => setImmediate(resolve)));

  async dispatch(jobs: readonly ScanJob[]): Promise<void> {
    if (this.away) throw new Error("nobody there");
    if (this.refusal !== undefined) throw this.refusal;
    this.times++;
    this.dispatched.push(...jobs);
    await this.slow;
  }
  onAnswer(listener: (answer: ScanAnswer) => void): () => void {
    this.answer = listener;
    this.listeners++;
    return () => void this.listeners--;
  }
  onReconnect(listener: () => void): () => void {
    this.reconnect = listener;
    this.listeners++;
    return () => void this.listeners--;
  }
  async answersTo(jobIds: readonly string[]): Promise<readonly ScanAnswer[]> {
    this.#given.resolve();
    return this.kept.filter((answer) => jobIds.includes(answer.jobId));
  }
  async forget(): Promise<void> {}
  async backlog(): Promise<Record<string, number>> {
    return {};
  }
  readonly trouble = () => undefined;
  readonly served = () => new Set<string>();
  healthy(): boolean {
    return true;
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

const items = [0, 1].map((index) => ({ index, asked: ["eicar"], answers: [], opinion: null }));
const jobs = jobsOf(aBounty(), items, {
  deadline: later(),
  now: instant(0),
  maxSizeBytes: 1,
  reference: contentReference,
});
const never = new AbortController().signal;

it("hears the queue from `listen` on, and takes every listener off at the end", () => {
  const queue = new HandQueue();
  const collector = new Collector(queue, clock, () => {});
  expect(queue.listeners).toBe(0);
  const listening = collector.listen();
  expect(queue.listeners).toBe(2);
  listening[Symbol.dispose]();
  expect(queue.listeners).toBe(0);
});

it("ends a wait as soon as every job is answered", async () => {
  const queue = new HandQueue();
  const collector = hearingCollector(queue, clock, () => {});
  const collected = collector.collect(jobs, later(), never);
  queue.answer(anAnswer({ artifactIndex: 1 }));
  queue.answer(anAnswer({ artifactIndex: 0 }));
  expect((await collected).map((answer) => answer.artifactIndex)).toEqual([1, 0]);
});

it("counts the first of two answers to the same job", async () => {
  const queue = new HandQueue();
  const heard: ScanAnswer[] = [];
  const collector = hearingCollector(queue, clock, (answer) => heard.push(answer));
  const collected = collector.collect(jobs, later(), never);
  queue.answer(anAnswer({ artifactIndex: 0, verdict: "malicious" }));
  queue.answer(anAnswer({ artifactIndex: 0, verdict: "benign" }));
  queue.answer(anAnswer({ artifactIndex: 1 }));
  expect((await collected).map((answer) => answer.verdict)).toEqual(["malicious", "malicious"]);
  expect(heard).toHaveLength(2);
});

it("gives up at once, and says why, when the queue will never take a job", async () => {
  const queue = new HandQueue();
  queue.refusal = new Fault("SCAN_JOB_INVALID", "The job cannot be sent.");
  const collector = hearingCollector(queue, clock, () => {});
  await expect(collector.collect(jobs, later(), never)).rejects.toBe(queue.refusal);
});

it("gives what came when the deadline comes first", async () => {
  const queue = new HandQueue();
  const collector = hearingCollector(queue, clock, () => {});
  const collected = collector.collect(jobs, instant(Date.now() + 20), never);
  queue.answer(anAnswer({ artifactIndex: 0 }));
  expect(await collected).toHaveLength(1);
});

it.each([
  ["forwards by a day", 86_400_000],
  ["back by an hour", -3_600_000],
])("ends a wait when its time is up, though the clock was set %s meanwhile", async (_, stepMs) => {
  let stepped = 0;
  const settable = { now: () => instant(Date.now() + stepped) };
  const queue = new HandQueue();
  const collector = hearingCollector(queue, settable, () => {});
  const began = performance.now();
  const collected = collector.collect(jobs, instant(Date.now() + 60), never);
  stepped = stepMs;
  queue.reconnect();
  expect(await collected).toEqual([]);
  expect(performance.now() - began).toBeGreaterThan(55);
  expect(performance.now() - began).toBeLessThan(2_000);
});

it("waits for a deadline that is further away than a timer reaches", async () => {
  const queue = new HandQueue();
  const collected = hearingCollector(queue, clock, () => {}).collect(
    jobs,
    instant(Date.now() + 2 ** 40),
    never,
  );
  expect(
    await hearingCollector(new HandQueue(), clock, () => {}).collect(jobs, instant(Date.now() + 20), never),
  ).toEqual([]);
  for (const artifactIndex of [0, 1]) queue.answer(anAnswer({ artifactIndex }));
  expect(await collected).toHaveLength(2);
});

it("asks the queue for answers that a lost event stream may have swallowed", async () => {
  const queue = new HandQueue();
  const collector = hearingCollector(queue, clock, () => {});
  const collected = collector.collect(jobs, later(), never);
  queue.kept.push(anAnswer({ artifactIndex: 0 }), anAnswer({ artifactIndex: 1 }));
  queue.reconnect();
  expect(await collected).toHaveLength(2);
});

it("finds answers that consumers gave to an earlier run of the producer", async () => {
  const queue = new HandQueue();
  queue.kept.push(anAnswer({ artifactIndex: 0 }), anAnswer({ artifactIndex: 1 }));
  const collector = hearingCollector(queue, clock, () => {});
  expect(await collector.collect(jobs, later(), never)).toHaveLength(2);
});

it("ignores answers to jobs nobody waits for", async () => {
  const queue = new HandQueue();
  const heard: ScanAnswer[] = [];
  hearingCollector(queue, clock, (answer) => heard.push(answer));
  queue.answer(anAnswer());
  expect(heard).toEqual([]);
});

it("leaves nothing behind on the signal, which outlives every wait", async () => {
  const queue = new HandQueue();
  const collected = hearingCollector(queue, clock, () => {}).collect(jobs, later(), never);
  for (const artifactIndex of [0, 1]) queue.answer(anAnswer({ artifactIndex }));
  await collected;
  expect(getEventListeners(never, "abort")).toHaveLength(0);
});

it("stops waiting when it is told to", async () => {
  const stop = new AbortController();
  const collector = hearingCollector(new HandQueue(), clock, () => {});
  const collected = collector.collect(jobs, later(), stop.signal);
  stop.abort();
  expect(await collected).toEqual([]);
});

it("gives the queue again what it forgot when it lost its memory", async () => {
  const queue = new HandQueue();
  const collector = hearingCollector(queue, clock, () => {});
  const collected = collector.collect(jobs, later(), never);
  queue.answer(anAnswer({ artifactIndex: 0 }));
  await queue.given;
  queue.dispatched.length = 0;
  queue.reconnect();
  expect(queue.dispatched.map((job) => job.artifactIndex)).toEqual([1]);
  queue.answer(anAnswer({ artifactIndex: 1 }));
  expect(await collected).toHaveLength(2);
});

it("gives a queue that is slow no job a second time while it still takes the first", async () => {
  vi.useFakeTimers();
  try {
    const queue = new HandQueue();
    const { promise, resolve } = Promise.withResolvers<void>();
    queue.slow = promise;
    const collected = hearingCollector(queue, clock, () => {}).collect(jobs, later(), never);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(queue.times).toBe(1);
    // It lost its memory meanwhile, perhaps, and so is asked once more.
    queue.reconnect();
    queue.reconnect();
    resolve();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(queue.times).toBe(2);
    for (const artifactIndex of [0, 1]) queue.answer(anAnswer({ artifactIndex }));
    expect(await collected).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});

it("keeps trying a queue that cannot be reached, and gives up at the deadline without an answer", async () => {
  const queue = new HandQueue();
  queue.away = true;
  const collector = hearingCollector(queue, clock, () => {});
  expect(await collector.collect(jobs, instant(Date.now() + 20), never)).toEqual([]);
  const collected = collector.collect(jobs, later(), never);
  queue.away = false;
  queue.kept.push(anAnswer({ artifactIndex: 0 }), anAnswer({ artifactIndex: 1 }));
  expect(await collected).toHaveLength(2);
});
