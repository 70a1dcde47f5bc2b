import { Fault } from "../../domain/fault.ts";
import type { Clock, Instant } from "../../domain/instant.ts";
import type { ScanAnswer, ScanJob } from "../../domain/scan.ts";
import type { ScanQueue } from "../../queue/port.ts";

interface Waiting {
  /** Jobs not answered yet, by id. */
  readonly missing: Map<string, ScanJob>;
  readonly answers: ScanAnswer[];
  readonly done: () => void;
  /** Ends the wait: the queue will never take these jobs. */
  readonly refused: (fault: Fault) => void;
  /** The queue is to be given what is missing. */
  due: boolean;
  /** It is being given that. */
  offering: boolean;
}

/** Between attempts at a queue that cannot be reached. */
const RETRY_MS = 1_000;
/** A timer that is set for longer rings at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Brings the queue's answers back to the bounty that waits for them.
 *
 *     collect ──► dispatching ──(queue unreachable: again, every second)──► waiting ──► done
 *
 * A wait ends when every job is answered, when its deadline comes, or when its signal aborts, whichever is first, and
 * gives what came until then. The deadline is turned into a length of time at the beginning: the clock may be set
 * meanwhile. An answer may come twice (the queue delivers at least once): the first counts. After a reconnect of the
 * queue's event stream the queue is asked for what was missed, and given again what it may have forgotten: job ids see
 * to it that nothing is scanned twice.
 */
export class Collector {
  readonly #queue: ScanQueue;
  readonly #clock: Clock;
  readonly #onAnswer: (answer: ScanAnswer) => void;
  readonly #waiting = new Map<string, Waiting>();

  /** `onAnswer` hears of every answer that was waited for, once. */
  constructor(queue: ScanQueue, clock: Clock, onAnswer: (answer: ScanAnswer) => void) {
    this.#queue = queue;
    this.#clock = clock;
    this.#onAnswer = onAnswer;
  }

  /** Hears the queue until it is disposed of; without that no answer comes in. */
  listen(): Disposable {
    const listening = new DisposableStack();
    listening.defer(this.#queue.onAnswer((answer) => this.#take(answer)));
    listening.defer(
      this.#queue.onReconnect(() => {
        for (const waiting of new Set(this.#waiting.values())) {
          waiting.due = true;
          void this.#offer(waiting);
        }
      }),
    );
    return listening;
  }

  /**
   * Dispatches the jobs and waits for their answers; a queue that stays away answers nothing. Rejects with the Fault of a
   * queue that will never take these jobs.
   */
  async collect(
    jobs: readonly ScanJob[],
    until: Instant,
    signal: AbortSignal,
  ): Promise<readonly ScanAnswer[]> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const missing = new Map(jobs.map((job) => [job.id, job]));
    const ends = { done: resolve, refused: reject };
    const waiting: Waiting = { missing, answers: [], ...ends, due: true, offering: false };
    const leftMs = Math.max(0, until - this.#clock.now());
    const deadline = setTimeout(resolve, Math.min(leftMs, LONGEST_TIMER_MS));
    const retry = setInterval(() => void this.#offer(waiting), RETRY_MS);
    const leave = () => resolve();
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted || jobs.length === 0) resolve();
    for (const job of jobs) this.#waiting.set(job.id, waiting);
    void this.#offer(waiting);
    try {
      await promise;
      return waiting.answers;
    } finally {
      clearTimeout(deadline);
      clearInterval(retry);
      waiting.due = false;
      // The signal outlives every bounty, and would keep the answers of each.
      signal.removeEventListener("abort", leave);
      for (const job of jobs) this.#waiting.delete(job.id);
    }
  }

  #take(answer: ScanAnswer): void {
    const waiting = this.#waiting.get(answer.jobId);
    if (!waiting?.missing.delete(answer.jobId)) return;
    waiting.answers.push(answer);
    this.#onAnswer(answer);
    if (waiting.missing.size === 0) waiting.done();
  }

  /**
   * Gives the queue what is due, one time after the other: a queue that is slow would else be given the same jobs anew
   * every second, and be slower for it.
   */
  async #offer(waiting: Waiting): Promise<void> {
    if (waiting.offering) return;
    waiting.offering = true;
    for (let reached = true; reached && waiting.due; ) {
      waiting.due = false;
      reached = await this.#give(waiting);
      waiting.due ||= !reached;
    }
    waiting.offering = false;
  }

  /**
   * Gives the queue every job not answered yet, and takes the answers it already holds: a job that was finished in an
   * earlier life of this producer is not announced again. False for a queue that could not be reached; asking again helps
   * with everything but a job that is wrong.
   */
  async #give({ missing, refused }: Waiting): Promise<boolean> {
    try {
      await this.#queue.dispatch([...missing.values()]);
      for (const answer of await this.#queue.answersTo([...missing.keys()])) this.#take(answer);
      return true;
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "SCAN_JOB_INVALID") return false;
      refused(error);
      return true;
    }
  }
}
