import type { RateCounter } from "../domain/rate-limit.ts";
import type { ScanAnswer, ScanJob } from "../domain/scan.ts";

/**
 * The queue between the producer and its consumers. It carries jobs and answers and nothing precious: all of it may
 * vanish and no stake is lost. Two implementations, BullMQ on Redis and embedded (consumers as child processes), are
 * held to one contract by test/contract/scan-queue.ts.
 *
 * Promises, whatever it is made of:
 * - a job id is worked on once, however often it is dispatched while it is known to the queue;
 * - an answer that a consumer gave reaches the producer's listener at least once while the producer is connected, and
 *   is found by `answersTo` after a reconnect, until `forget` is called or the queue lost its memory;
 * - a job whose consumer dies is given to another one, and is answered `crashed` when it will not be given out again;
 * - a job past its deadline is never handed to a scanner;
 * - of a backend's waiting jobs, the one with the nearest deadline is taken next, to the second.
 */
export interface ScanQueue extends AsyncDisposable {
  /** Resolves once the jobs are accepted. Throws a retryable Fault when the queue cannot be reached. */
  dispatch(jobs: readonly ScanJob[]): Promise<void>;
  /** The one listener for answers, until the returned function is called. It may hear the same answer twice. */
  onAnswer(listener: (answer: ScanAnswer) => void): () => void;
  /**
   * Called when the queue can be used again after it was interrupted: answers may have been missed, ask `answersTo`.
   * The queue may have lost its memory too: dispatch again what has no answer, it runs once at most while it is known. There is one
   * listener, until the returned function is called.
   */
  onReconnect(listener: () => void): () => void;
  /** The answers the queue holds for these jobs. */
  answersTo(jobIds: readonly string[]): Promise<readonly ScanAnswer[]>;
  /** Takes back jobs that no consumer has started and drops what is remembered of finished ones. */
  forget(jobIds: readonly string[]): Promise<void>;
  /** Jobs waiting for a consumer, by backend, prioritised ones included. */
  backlog(): Promise<Readonly<Record<string, number>>>;
  /** Whether the queue can be used right now. */
  healthy(): boolean;
  /** Why it cannot, in a sentence. */
  trouble(): string | undefined;
  /** Of the backends named at the opening and those that had jobs, the ones that some consumer takes jobs of. */
  served(): ReadonlySet<string>;
}

/** Works on one job. `signal` aborts at the job's deadline or when the consumer must stop at once. Never rejects. */
export type ScanHandler = (job: ScanJob, signal: AbortSignal) => Promise<ScanAnswer>;

/** How many jobs a consumer has at a time. */
export interface ServeOptions {
  /** At most, over all backends. */
  readonly concurrency: number;
  /** At most, of any one backend, so that one that hangs leaves room for the others. Default: no less than over all. */
  readonly perBackend?: number;
  /** Those of the backends that can do something at present; a queue may tell its producer. Default: all. */
  readonly able?: () => readonly string[];
}

/** The consumer's side of the same queue. */
export interface ScanWork extends AsyncDisposable {
  /** Takes jobs of these backends until disposed. */
  serve(backends: readonly string[], handler: ScanHandler, options: ServeOptions): Promise<void>;
  /** Counts for all consumers of the queue together. */
  readonly rates: RateCounter;
  /** Stops taking jobs and resolves when those in progress are answered. */
  drain(): Promise<void>;
  healthy(): boolean;
  /** Why it takes no jobs, in a sentence. */
  trouble(): string | undefined;
}
