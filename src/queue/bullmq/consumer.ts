/**
 * The consumer's side of the queue on Redis: one BullMQ worker per backend, under one limit for all of them.
 *
 * States of a job here: taken -> running -> answered, as the return value of its BullMQ job; or taken -> given back,
 * when other backends hold every slot or the consumer is stopped. A job given back is at once another consumer's to
 * take. When the process dies instead, the job's lock lapses and a check that every worker makes puts it back; the
 * second time BullMQ gives it up, and the producer hears `failed` (see names.ts for the times). Or taken ->
 * dropped, when its seal does not hold (seal.ts): it is not scanned, and BullMQ has it as failed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Job, UnrecoverableError, WaitingError, Worker } from "bullmq";
import { RecentKeys } from "../../async/recent-keys.ts";
import { settledWithin } from "../../async/within.ts";
import { describeError } from "../../domain/fault.ts";
import { type Clock, systemClock } from "../../domain/instant.ts";
import type { RateCounter } from "../../domain/rate-limit.ts";
import type { ScanJob } from "../../domain/scan.ts";
import type { Logger } from "../../observe/log.ts";
import type { RedisAddress } from "../../redis/address.ts";
import { describeRedisError } from "../../redis/client.ts";
import { connectRedis, type RedisClient } from "../../redis/connection.ts";
import { RedisRateCounter } from "../../redis/rate-counters.ts";
import { createSeal, type Seal } from "../../redis/seal.ts";
import { warnOfRedis } from "../../redis/warnings.ts";
import { invalidResult } from "../answer-without-opinion.ts";
import { decodeJob, parseScanJobId, type WireAnswer } from "../job-codec.ts";
import { type JobRun, runJob } from "../job-run.ts";
import type { ScanHandler, ScanWork, ServeOptions } from "../port.ts";
import { CommandCheck } from "./command-check.ts";
import { forgeryTeller, type TellForgery } from "./forgeries.ts";
import { BLOCKING_READ_S, bullmqPrefix, LOCK_MS, MAX_STALLS, STALL_CHECK_MS } from "./names.ts";
import { announce } from "./serving.ts";
import { JobSlots } from "./slots.ts";

/** BullMQ asks for the next job again at once when Redis refuses, a thousand times a second. */
const REFUSED_PAUSE_MS = 500;
/** For so long the same complaint is not a warning again. */
const COMPLAIN_EVERY_MS = 60_000;
const CODES_KNOWN = 100;

const MAX_TOLD_CHARS = 200;

/** How long a stopped consumer waits for its handlers to give up and its jobs to be given back. */
const STOP_WITHIN_MS = 1_000;
const LOOK_EVERY_MS = 50;
const REOPEN_EVERY_MS = 1_000;
/** How long a start waits for what Redis says of itself. */
const WARN_WITHIN_MS = 3_000;

interface BullmqWorkOptions {
  readonly address: RedisAddress;
  /** Name of the queue, `--queue`. */
  readonly queue: string;
  /** Name of this consumer, for answers and for Redis' list of clients. */
  readonly consumer: string;
  /** For how long to try to reach Redis at the start. */
  readonly waitMs: number;
  readonly log: Logger;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** The same on both sides. Default: none. */
  readonly seal?: Seal;
  /** Called for each job that was dropped because its seal does not hold. */
  readonly onForged?: () => void;
}

/** Throws what `connectRedis` throws. */
export async function openBullmqWork(options: BullmqWorkOptions): Promise<ScanWork> {
  const prefix = bullmqPrefix(options.queue);
  const redis = await connectRedis(options.address, { ...options, patience: "patient" });
  // A patient connection waits as long as Redis is away, which it may be again by now.
  const warned = warnOfRedis(redis, options.address, options.log, options.clock);
  await settledWithin(WARN_WITHIN_MS, warned, options.signal);
  const work = new BullmqWork(redis, prefix, options);
  work.listen();
  await settledWithin(WARN_WITHIN_MS, work.check(), options.signal);
  if (options.signal?.aborted) await work[Symbol.asyncDispose]();
  options.signal?.throwIfAborted();
  return work;
}

class ScanWorker extends Worker<unknown, object> {
  /** Why the last attempt to take a job failed. */
  refusal: string | undefined;

  protected override async moveToActive(token: string, name?: string) {
    try {
      const taken = await super.moveToActive(token, name);
      this.refusal = undefined;
      return taken;
    } catch (error) {
      this.refusal = describeRedisError(error);
      await sleep(REFUSED_PAUSE_MS);
      throw error;
    }
  }

  /** For when `close` hangs, as it does while Redis is away: stops all that would keep the process alive. */
  abandon(): void {
    this.close(true).catch(() => {});
    void this.lockManager.close();
    this.backend.blockingClient?.then((client) => client.disconnect()).catch(() => {});
  }
}

class BullmqWork implements ScanWork {
  readonly rates: RateCounter;
  readonly #redis: RedisClient;
  readonly #prefix: string;
  readonly #options: BullmqWorkOptions;
  readonly #seal: Seal;
  readonly #tellForged: TellForgery;
  readonly #stop = new AbortController();
  readonly #check: CommandCheck<void>;
  #refused = false;
  /** Backends that jobs are taken of, as far as they can do something. */
  #able: () => readonly string[] = () => [];
  #slots = new JobSlots(1);
  /** By backend. */
  readonly #workers = new Map<string, ScanWorker>();
  /** By id and deadline. */
  readonly #running = new Map<string, Promise<WireAnswer | undefined>>();
  /** The log warns of the first one only: a stranger who writes one writes thousands. */
  #malformed = 0;
  /** Jobs given back for want of a slot, whose BullMQ processors wait for one: their locks are gone, rightly. */
  readonly #parked = new Set<string | undefined>();

  constructor(redis: RedisClient, prefix: string, options: BullmqWorkOptions) {
    this.rates = new RedisRateCounter(redis, prefix);
    this.#redis = redis;
    this.#prefix = prefix;
    this.#options = options;
    this.#seal = options.seal ?? createSeal(undefined);
    this.#tellForged = forgeryTeller("job", options.log, options.onForged);
    const { consumer, queue, log } = options;
    this.#check = new CommandCheck({
      redis,
      send: () => announce(redis, prefix, { consumer, backends: this.#able() }),
      onTaken: () => {
        if (this.#refused) log.info({ queue }, "queue.accepted");
        this.#refused = false;
      },
      onRefused: (why) => {
        if (!this.#refused) log.warn({ queue, why }, "queue.refused");
        this.#refused = true;
      },
    });
  }

  /** Begins to follow the connection; ends with the work. */
  listen(): void {
    this.#redis.on("ready", this.#onReady);
  }

  readonly #onReady = (): void => void this.#check.run();

  /** Asks Redis whether it takes our commands; `trouble` has the outcome. */
  check(): Promise<void> {
    return this.#check.run();
  }

  async serve(backends: readonly string[], handler: ScanHandler, options: ServeOptions): Promise<void> {
    this.#slots = new JobSlots(options.concurrency);
    const { concurrency, perBackend = concurrency, able = () => backends } = options;
    await Promise.all(backends.map((backend) => this.#open(backend, handler, perBackend)));
    if (this.#stop.signal.aborted || this.#slots.closed) return;
    this.#able = able;
    await this.#check.run();
  }

  async drain(): Promise<void> {
    this.#slots.close();
    this.#able = () => [];
    const closed = Promise.all([...this.#workers.values()].map((worker) => worker.close()));
    await Promise.race([closed, this.#nothingLeft()]);
  }

  healthy(): boolean {
    return this.trouble() === undefined;
  }

  trouble(): string | undefined {
    const trouble = this.#check.trouble();
    if (trouble !== undefined) return trouble;
    for (const [backend, worker] of this.#workers) {
      const why = worker.refusal ?? (worker.isRunning() ? undefined : "its worker does not run");
      if (why !== undefined) return `Jobs of ${backend} are not taken: ${why}`;
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.off("ready", this.#onReady);
    this.#stop.abort(new DOMException("The consumer stops.", "AbortError"));
    await settledWithin(STOP_WITHIN_MS, this.drain());
    for (const worker of this.#workers.values()) worker.abandon();
    this.#check.stop();
    this.#redis.disconnect();
  }

  /**
   * Resolves once nothing runs here while Redis is of no use: a worker's `close` would wait for it, and so would an answer,
   * whose job is another consumer's by then.
   */
  async #nothingLeft(): Promise<void> {
    while (this.#running.size > 0 || this.#check.trouble() === undefined) {
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
    }
  }

  /** BullMQ's worker is of no use for good when Redis goes away while it is opened. */
  async #open(backend: string, handler: ScanHandler, concurrency: number): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && !this.#slots.closed) {
      const worker = this.#work(backend, handler, concurrency);
      this.#workers.set(backend, worker);
      try {
        await worker.waitUntilReady();
        return;
      } catch (error) {
        this.#options.log.debug({ backend, why: describeError(error) }, "queue.worker-not-opened");
        worker.abandon();
        await sleep(REOPEN_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }

  #work(backend: string, handler: ScanHandler, concurrency: number): ScanWorker {
    const { consumer, log, clock = systemClock } = this.#options;
    // `#genuine` lets no job pass whose seal does not hold; without a secret, there is no seal.
    const origin = this.#seal.secret ? "certain" : "uncertain";
    const run: JobRun = { handler, stop: this.#stop.signal, clock, consumer, origin };
    const worker = new ScanWorker(backend, (job, token) => this.#process(job, token, run), {
      connection: this.#redis,
      prefix: this.#prefix,
      name: consumer,
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALL_CHECK_MS,
      maxStalledCount: MAX_STALLS,
      drainDelay: BLOCKING_READ_S,
      // After an outage a bounty cannot wait for BullMQ's 15 s.
      runRetryDelay: 1_000,
      skipVersionCheck: true,
    });
    const complain = this.#complaints(backend);
    worker.on("error", (error) => {
      const [, parked] = /^could not renew lock for job (.+)$/.exec(error.message) ?? [];
      if (parked !== undefined && this.#parked.has(parked)) return;
      complain(error);
    });
    worker.on("stalled", (jobId) => log.warn({ backend, jobId }, "queue.job-stalled"));
    return worker;
  }

  /** A Redis that takes no writes refuses whatever is tried, and many things are tried every second. */
  #complaints(backend: string): (error: Error) => void {
    const told = new RecentKeys(CODES_KNOWN, { forgetMs: COMPLAIN_EVERY_MS });
    return (error) => {
      const why = describeRedisError(error);
      // With what Redis' refusals begin; what follows differs by what was tried.
      const code = /^[A-Z]+(?= )/.exec(why)?.[0];
      const known = code !== undefined && !told.add(code);
      // Of lost connections, `connectRedis` has told already.
      const lost = "syscall" in error || /^(?:Socket timeout|Connection is closed)/.test(why);
      this.#options.log[known || lost ? "debug" : "warn"]({ backend, why }, "queue.worker-error");
    };
  }

  async #process(job: Job<unknown>, token: string | undefined, run: JobRun): Promise<object> {
    // Also while draining: a worker that is closing still takes the job for which it was just woken.
    if (!this.#slots.take()) return this.#park(job, token);
    try {
      const answer = await this.#answer(job, this.#genuine(job), run);
      if (answer === undefined) return await this.#giveBack(job, token);
      return this.#seal.close("answer", answer.jobId, answer);
    } finally {
      this.#slots.release();
    }
  }

  /** Gives a job back, and keeps this worker from taking it again until there is room. */
  async #park(job: Job<unknown>, token: string | undefined): Promise<never> {
    this.#parked.add(job.id);
    try {
      return await this.#giveBack(job, token, this.#slots);
    } finally {
      this.#parked.delete(job.id);
    }
  }

  /** The data of a job whose seal holds. Throws what makes BullMQ drop any other. */
  #genuine({ id, data }: Job<unknown>): unknown {
    const opened = this.#seal.open("job", id ?? "", data);
    if (opened.kind === "genuine") return opened.value;
    this.#tellForged(id, opened.why);
    throw new UnrecoverableError(opened.why);
  }

  /**
   * A job comes here a second time while it runs when Redis lost its memory, or its lock for as long as Redis stood
   * still. The answer to the first run is the second one's too; for the first run no answer is taken any more.
   */
  #runOnce(job: ScanJob, run: JobRun): Promise<WireAnswer | undefined> {
    const key = `${job.id} ${job.deadline}`;
    const known = this.#running.get(key);
    if (known !== undefined) return known;
    const running = runJob(job, run).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  /** Data that is no job is answered where the job can be named, and dropped where it cannot. */
  async #answer(bullJob: Job<unknown>, data: unknown, run: JobRun): Promise<WireAnswer | undefined> {
    let why = "";
    const job = decodeJob(data, (reason) => {
      why = reason;
    });
    if (job !== undefined && job.id === bullJob.id) return this.#runOnce(job, run);
    const jobId = bullJob.id?.slice(0, MAX_TOLD_CHARS);
    this.#options.log[this.#malformed++ === 0 ? "warn" : "debug"]({ jobId, why }, "queue.malformed-job");
    const named = parseScanJobId(bullJob.id ?? "");
    if (named === undefined) throw new UnrecoverableError(`malformed job: ${why}`);
    return { ...invalidResult(named, `the job cannot be read: ${why}`, run.consumer), metadata: "{}" };
  }

  /** WaitingError is how BullMQ is told that the job has left this worker's hands. */
  async #giveBack(job: Job<unknown>, token: string | undefined, until?: JobSlots): Promise<never> {
    await job.moveToWait(token);
    this.#options.log.debug({ jobId: job.id }, "queue.job-given-back");
    await until?.room();
    throw new WaitingError();
  }
}
