import type { Clock, Instant } from "../domain/chain.ts";
import type { ScanAnswer, ScanJob } from "../domain/scan.ts";
import type { ScanQueue } from "../queue/port.ts";

interface Waiting {
  readonly missing: Set<string>;
  readonly answers: ScanAnswer[];
  readonly done: () => void;
}

/**
 * Brings the queue's answers back to the bounty that waits for them.
 *
 * A wait ends when every job is answered, when its deadline comes, or when its signal aborts, whichever is first, and
 * gives what came until then. An answer may come twice (the queue delivers at least once): the first counts. After a
 * reconnect of the queue's event stream the queue is asked for what was missed.
 */
export class Collector {
  readonly #queue: ScanQueue;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting>();

  constructor(queue: ScanQueue, clock: Clock, onAnswer: (answer: ScanAnswer) => void) {
    this.#queue = queue;
    this.#clock = clock;
    queue.onAnswer((answer) => {
      if (this.#take(answer)) onAnswer(answer);
    });
    queue.onReconnect(() => void this.#reconcile());
  }

  /** Dispatches the jobs and waits for their answers. Throws what `dispatch` throws. */
  async collect(
    jobs: readonly ScanJob[],
    until: Instant,
    signal: AbortSignal,
  ): Promise<readonly ScanAnswer[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting: Waiting = { missing: new Set(jobs.map((job) => job.id)), answers: [], done: resolve };
    const timer = setTimeout(resolve, Math.max(0, until - this.#clock.now()));
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
    for (const job of jobs) this.#waiting.set(job.id, waiting);
    try {
      await this.#queue.dispatch(jobs);
      // A job finished in an earlier life of this producer will not be announced again.
      if (jobs.length > 0) void this.#askFor(jobs.map((job) => job.id));
      await promise;
      return waiting.answers;
    } finally {
      clearTimeout(timer);
      for (const job of jobs) this.#waiting.delete(job.id);
    }
  }

  #take(answer: ScanAnswer): boolean {
    const waiting = this.#waiting.get(answer.jobId);
    if (!waiting?.missing.delete(answer.jobId)) return false;
    waiting.answers.push(answer);
    if (waiting.missing.size === 0) waiting.done();
    return true;
  }

  async #reconcile(): Promise<void> {
    await this.#askFor([...this.#waiting.keys()]);
  }

  async #askFor(jobIds: readonly string[]): Promise<void> {
    // When the queue cannot be asked it will say so by a reconnect later, and we ask again.
    const answers = await this.#queue.answersTo(jobIds).catch(() => []);
    for (const answer of answers) this.#take(answer);
  }
}
