/**
 * The queue for one machine without Redis: jobs in memory, consumers as child processes that the producer starts, and
 * starts again when they die. What is waiting is lost with the producer, as the port allows; the ledger is not.
 */
import type { ChildProcess } from "node:child_process";
import { type Clock, systemClock } from "../../domain/instant.ts";
import { MemoryRateCounter, type RateCounter } from "../../domain/rate-limit.ts";
import type { ScanAnswer, ScanJob } from "../../domain/scan.ts";
import type { Logger } from "../../observe/log.ts";
import { decodeAnswer, encodeJob } from "../job-codec.ts";
import { MAX_TIMER_MS } from "../job-run.ts";
import type { ScanQueue } from "../port.ts";
import { EmbeddedChild } from "./child.ts";
import { EmbeddedJobs } from "./jobs.ts";

/** How long consumers may finish what they are at when the queue is closed. */
const GRACE_MS = 2_000;

export interface EmbeddedQueueOptions {
  /** Starts consumer number `index` with an IPC channel, as `fork` does. It is to serve `openEmbeddedWork`. */
  readonly spawn: (index: number) => ChildProcess;
  readonly consumers: number;
  readonly log: Logger;
  readonly clock?: Clock;
}

export function openEmbeddedQueue(options: EmbeddedQueueOptions): ScanQueue {
  return new EmbeddedQueue(options);
}

class EmbeddedQueue implements ScanQueue {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #jobs = new EmbeddedJobs();
  readonly #children: readonly EmbeddedChild[];
  #answered: (answer: ScanAnswer) => void = () => {};
  #expiry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ spawn, consumers, log, clock = systemClock }: EmbeddedQueueOptions) {
    this.#log = log;
    this.#clock = clock;
    // In here, because here is the one place that all consumers reach; lost with it, as everything in this queue.
    const rates = new MemoryRateCounter(clock);
    const events = {
      onRoom: () => this.#handOut(),
      onServe: (backends: readonly string[]) => {
        for (const backend of backends) this.#jobs.know(backend);
      },
      onAnswer: (jobId: string, answer: unknown) => this.#hear(jobId, answer),
      onReturned: (jobId: string) => this.#jobs.giveBack(jobId),
      onUse: (...asked: Parameters<RateCounter["use"]>) => rates.use(...asked),
      onLost: (jobIds: readonly string[]) => this.#lose(jobIds),
    };
    this.#children = Array.from(
      { length: consumers },
      (_, index) => new EmbeddedChild(() => spawn(index), events, log.child({ consumer: index })),
    );
  }

  async dispatch(jobs: readonly ScanJob[]): Promise<void> {
    // Checked here, so that a job that cannot be sent is its dispatcher's error.
    for (const job of jobs) encodeJob(job);
    for (const job of jobs) this.#jobs.add(job);
    this.#handOut();
  }

  onAnswer(listener: (answer: ScanAnswer) => void): () => void {
    this.#answered = listener;
    return () => {
      if (this.#answered === listener) this.#answered = () => {};
    };
  }

  /** Never called: there is nothing between this queue and its memory. */
  onReconnect(_listener: () => void): () => void {
    return () => {};
  }

  async answersTo(jobIds: readonly string[]): Promise<readonly ScanAnswer[]> {
    return this.#jobs.answersTo(jobIds);
  }

  async forget(jobIds: readonly string[]): Promise<void> {
    this.#jobs.forget(jobIds);
  }

  async backlog(): Promise<Readonly<Record<string, number>>> {
    return this.#jobs.backlog();
  }

  healthy(): boolean {
    return this.trouble() === undefined;
  }

  trouble(): string | undefined {
    if (this.#closed) return "The queue is closed.";
    return this.served().size > 0 ? undefined : "No consumer takes jobs.";
  }

  served(): ReadonlySet<string> {
    return new Set(this.#children.flatMap((child) => child.served));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#expiry);
    await Promise.all(this.#children.map((child) => child.close(GRACE_MS)));
  }

  /** Gives every consumer what it has room for, the least busy first. */
  #handOut(): void {
    if (this.#closed) return;
    for (const answer of this.#jobs.expire(this.#clock.now())) this.#tell(answer);
    for (;;) {
      const free = this.#children.filter((child) => child.room > 0).sort((a, b) => a.load - b.load);
      const given = free.some((child) => {
        const job = this.#jobs.start(child.backends);
        if (job) child.give(job);
        return job !== undefined;
      });
      if (!given) break;
    }
    this.#awaitExpiry();
  }

  #awaitExpiry(): void {
    clearTimeout(this.#expiry);
    const inMs = Math.max(0, this.#jobs.nextDeadline() - this.#clock.now());
    if (inMs === Number.POSITIVE_INFINITY) return;
    this.#expiry = setTimeout(() => this.#handOut(), Math.min(inMs, MAX_TIMER_MS));
  }

  #hear(jobId: string, data: unknown): void {
    const answer = decodeAnswer(jobId, data);
    if (answer && this.#jobs.answer(answer, this.#clock.now())) this.#tell(answer);
  }

  #lose(jobIds: readonly string[]): void {
    for (const jobId of jobIds) {
      const answer = this.#jobs.died(jobId, this.#clock.now());
      if (answer) this.#tell(answer);
      this.#log.warn({ jobId, again: answer === undefined }, "queue.job-lost");
    }
    this.#handOut();
  }

  /** Not within the call that caused it: a listener may dispatch, and a dispatcher expects no answer before it returns. */
  #tell(answer: ScanAnswer): void {
    setImmediate(() => this.#answered(answer));
  }
}
