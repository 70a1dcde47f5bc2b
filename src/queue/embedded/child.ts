/**
 * One consumer of the embedded queue, as its producer sees it: a place that always has a child process in it.
 *
 * States: starting -> serving -> draining -> gone -> (after a pause) starting. A child that dies takes the jobs it
 * was working on with it, and they are reported lost once all it had said has been read. The pause doubles with every
 * child that died without having answered anything, from 100 ms to 5 s.
 */
import type { ChildProcess } from "node:child_process";
import { backoff } from "../../async/backoff.ts";
import { settledWithin } from "../../async/within.ts";
import { describeError } from "../../domain/fault.ts";
import type { RateAnswer, RateLimits } from "../../domain/rate-limit.ts";
import type { ScanJob } from "../../domain/scan.ts";
import type { Logger } from "../../observe/log.ts";
import { encodeJob } from "../job-codec.ts";
import { readToProducer, type ToConsumer } from "./messages.ts";

const PAUSES = { firstMs: 100, longestMs: 5_000 };
/** A dead child's last words are in the pipe; a pipe that another process holds open must not hide its death. */
const LAST_WORDS_MS = 250;
/** A child that closed its channel is of no use; it may take this long to exit by itself. */
const EXIT_WITHIN_MS = 2_000;

interface ChildEvents {
  /** There may be room for a job. */
  onRoom(): void;
  onServe(backends: readonly string[]): void;
  onAnswer(jobId: string, answer: unknown): void;
  onReturned(jobId: string): void;
  /** Whether what the child wants to do may be done. */
  onUse(name: string, limits: RateLimits, how: "take" | "peek"): Promise<RateAnswer>;
  /** The child died with these jobs. */
  onLost(jobIds: readonly string[]): void;
}

export class EmbeddedChild {
  readonly #spawn: () => ChildProcess;
  readonly #events: ChildEvents;
  readonly #log: Logger;
  /** Their backends, by their ids. */
  readonly #jobs = new Map<string, string>();
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #backends: readonly string[] = [];
  #concurrency = 0;
  #perBackend = 0;
  #fruitless = 0;
  #restart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(spawn: () => ChildProcess, events: ChildEvents, log: Logger) {
    this.#spawn = spawn;
    this.#events = events;
    this.#log = log;
    this.#start();
  }

  /** Backends it takes jobs of right now; none unless it is serving. */
  get backends(): readonly string[] {
    const busy = Map.groupBy(this.#jobs.values(), (backend) => backend);
    return this.#backends.filter((backend) => (busy.get(backend)?.length ?? 0) < this.#perBackend);
  }

  /** Backends it serves, also those of which it has as many jobs as it takes. */
  get served(): readonly string[] {
    return this.#backends;
  }

  get load(): number {
    return this.#jobs.size;
  }

  /** How many more jobs it takes. */
  get room(): number {
    return this.#backends.length === 0 ? 0 : this.#concurrency - this.#jobs.size;
  }

  give(job: ScanJob): void {
    this.#jobs.set(job.id, job.backend);
    this.#tell({ kind: "job", job: encodeJob(job) });
  }

  /** Asks the child to finish, waits for `graceMs`, then kills it. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    this.#tell({ kind: "drain" });
    if (!(await settledWithin(graceMs, this.#exited))) this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  #start(): void {
    try {
      this.#watch(this.#spawn());
    } catch (error) {
      this.#log.error({ why: describeError(error) }, "queue.consumer-error");
      this.#startAgain();
    }
  }

  #watch(child: ChildProcess): void {
    const { promise, resolve: exited } = Promise.withResolvers<void>();
    this.#child = child;
    this.#exited = promise;
    let lost = false;
    let gone = false;
    // Everything the child had said has been read, or never will be.
    const lose = (): void => {
      if (!lost) this.#lose();
      lost = true;
    };
    const bury = (): void => {
      if (gone) return;
      gone = true;
      lose();
      this.#startAgain();
    };
    child.on("message", (message) => {
      if (!lost) this.#hear(message);
    });
    child.on("disconnect", () => {
      lose();
      const kill = setTimeout(() => child.kill("SIGKILL"), EXIT_WITHIN_MS);
      void promise.then(() => {
        clearTimeout(kill);
        bury();
      });
    });
    child.on("exit", (code, signal) => {
      if (!this.#closed) this.#log.warn({ process: child.pid, code, signal }, "queue.consumer-died");
      exited();
      if (child.connected) setTimeout(bury, LAST_WORDS_MS);
      else bury();
    });
    child.on("error", (error) => {
      this.#log.error({ why: describeError(error) }, "queue.consumer-error");
      if (child.pid !== undefined) return;
      exited();
      bury();
    });
  }

  #startAgain(): void {
    if (this.#closed) return;
    this.#restart = setTimeout(() => this.#start(), backoff(++this.#fruitless, PAUSES));
  }

  #hear(message: unknown): void {
    const heard = readToProducer(message);
    if (heard === undefined) return;
    if (heard.kind === "serve") {
      this.#backends = heard.backends;
      this.#concurrency = heard.concurrency;
      this.#perBackend = heard.perBackend ?? heard.concurrency;
      this.#events.onServe(heard.backends);
    } else if (heard.kind === "draining") {
      this.#backends = [];
    } else if (heard.kind === "use") {
      const { use, name, limits, how } = heard;
      const child = this.#child;
      void this.#events
        .onUse(name, limits, how)
        .then((answer) => this.#tell({ kind: "used", use, answer }, child));
      return;
    } else if (this.#jobs.delete(heard.jobId)) {
      if (heard.kind === "answer") {
        this.#fruitless = 0;
        this.#events.onAnswer(heard.jobId, heard.answer);
      } else {
        this.#events.onReturned(heard.jobId);
      }
    }
    this.#events.onRoom();
  }

  #lose(): void {
    const jobs = [...this.#jobs.keys()];
    this.#jobs.clear();
    this.#backends = [];
    this.#events.onLost(jobs);
  }

  #tell(message: ToConsumer, child: ChildProcess | undefined = this.#child): void {
    // A child that cannot be told is dying, and its death is heard of by itself.
    if (child?.connected) child.send(message, () => {});
  }
}
