/**
 * The producer's side of the queue on Redis. One BullMQ queue per backend, all on one connection for commands, and
 * one event stream per backend, each on a connection of its own because it blocks.
 *
 * States of the queue: connected -> interrupted (any connection lost) -> connected again (all are back), upon which
 * the reconnect listener is called once. Event streams continue where they were interrupted, but Redis trims them and
 * loses them with its memory: hence the listener, and `answersTo`. A Redis that refuses us for a while, a node of a Cluster
 * that went away and a memory that was lost behind a connection that held (a failover) are followed by the listener's call,
 * too; the last is seen by a word that the check (redis/serving.ts) leaves there and does not find again.
 *
 * An answer whose seal does not hold (seal.ts) is not heard. Where it came as the return value of the job, BullMQ has that
 * job as completed and takes no other answer to it: for the bounty that backend then gave no answer.
 *
 * Jobs are taken by nearest deadline, through BullMQ's priorities: measured, a job with one costs no more than a job
 * without.
 */
import { randomUUID } from "node:crypto";
import { type Job, Queue } from "bullmq";
import { settledWithin } from "../../async/within.ts";
import { describeError, Fault } from "../../domain/fault.ts";
import type { ScanAnswer, ScanJob } from "../../domain/scan.ts";
import type { Logger } from "../../observe/log.ts";
import type { RedisAddress } from "../../redis/address.ts";
import { connectRedis, isUsable, type RedisClient } from "../../redis/connection.ts";
import { createSeal, type Seal } from "../../redis/seal.ts";
import { warnOfRedis } from "../../redis/warnings.ts";
import { answerWithoutOpinion } from "../answer-without-opinion.ts";
import { decodeAnswer, encodeJob, parseScanJobId, type WireJob } from "../job-codec.ts";
import type { ScanQueue } from "../port.ts";
import { type AnswerStream, openAnswerStream } from "./answers.ts";
import { CommandCheck } from "./command-check.ts";
import { forgeryTeller, type TellForgery } from "./forgeries.ts";
import { bullmqPrefix, KEEP_FINISHED } from "./names.ts";
import { askServed, LeftWords, type Served } from "./serving.ts";

export interface BullmqQueueOptions {
  readonly address: RedisAddress;
  /** Name of the queue, `--queue`. */
  readonly queue: string;
  /** Backends whose answers are heard from the start; others are added when a job for them is dispatched. */
  readonly backends: readonly string[];
  /** For how long to try to reach Redis at the start. */
  readonly waitMs: number;
  readonly log: Logger;
  readonly signal?: AbortSignal;
  /** The same on both sides. Default: none. */
  readonly seal?: Seal;
  /** Called for each answer that was dropped because its seal does not hold. */
  readonly onForged?: () => void;
}

/** What a check saw, and the word that it left. */
type Seen = Served & { readonly word: string };

const MAX_TOLD_CHARS = 200;

const CLOSE_WITHIN_MS = 500;

/** One backend's queue. */
interface Lane {
  readonly queue: Queue<object>;
  readonly answers: AnswerStream;
}

/** Throws what `connectRedis` throws. */
export async function openBullmqQueue(options: BullmqQueueOptions): Promise<ScanQueue> {
  const prefix = bullmqPrefix(options.queue);
  const redis = await connectRedis(options.address, options);
  await warnOfRedis(redis, options.address, options.log);
  const queue = new BullmqQueue(redis, prefix, options);
  queue.listen();
  try {
    await queue.check();
    await Promise.all(options.backends.map((backend) => queue.lane(backend)));
  } catch (error) {
    await queue[Symbol.asyncDispose]();
    throw unreachable(error);
  }
  return queue;
}

class BullmqQueue implements ScanQueue {
  readonly #redis: RedisClient;
  readonly #prefix: string;
  readonly #options: BullmqQueueOptions;
  readonly #seal: Seal;
  readonly #tellForged: TellForgery;
  readonly #opening = new Map<string, Promise<Lane>>();
  readonly #lanes = new Map<string, Lane>();
  #answered: (answer: ScanAnswer) => void = () => {};
  #reconnected: () => void = () => {};
  readonly #check: CommandCheck<Seen>;
  /** Of this producer, among others of the same queue. */
  readonly #id = randomUUID();
  readonly #words = new LeftWords();
  #served: ReadonlySet<string> = new Set();
  #interrupted = false;
  /** Jobs or answers may have been missed without an interruption. */
  #missed = false;
  /** Redis is there and did not do this, and that was told. */
  #refused: "check" | "dispatch" | undefined;
  #closed = false;
  #foreigners = 0;

  constructor(redis: RedisClient, prefix: string, options: BullmqQueueOptions) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#options = options;
    this.#seal = options.seal ?? createSeal(undefined);
    this.#tellForged = forgeryTeller("answer", options.log, options.onForged);
    this.#check = new CommandCheck({
      redis,
      send: () => this.#look(),
      onTaken: (seen) => this.#onTaken(seen),
      onRefused: (why) => this.#onRefused(why),
    });
  }

  /** Begins to follow the connection; ends with the queue. */
  listen(): void {
    this.#redis.on("close", this.#onInterrupted);
    this.#redis.on("ready", this.#onReady);
    this.#redis.on("-node", this.#onNodeGone);
  }

  #unlisten(): void {
    this.#redis.off("close", this.#onInterrupted);
    this.#redis.off("ready", this.#onReady);
    this.#redis.off("-node", this.#onNodeGone);
  }

  /** Asks Redis whether it takes our commands; `trouble` has the outcome. */
  check(): Promise<void> {
    return this.#check.run();
  }

  async dispatch(jobs: readonly ScanJob[]): Promise<void> {
    const byBackend = Map.groupBy(jobs.map(encodeJob), (job) => job.backend);
    try {
      await this.#add(byBackend);
      this.#refused = undefined;
    } catch (error) {
      // That it cannot be reached is told where the connection is lost.
      if (isUsable(this.#redis)) this.#tellRefused("dispatch", describeError(error));
      throw error;
    }
  }

  async #add(byBackend: ReadonlyMap<string, readonly WireJob[]>): Promise<void> {
    await this.#reach(
      [...byBackend].map(async ([backend, wires]) => {
        const { queue } = await this.lane(backend);
        // BullMQ ignores an id it knows, whether the job waits, runs or has been answered.
        const bulk = wires.map((wire) => ({
          name: "scan",
          data: this.#seal.close("job", wire.id, wire),
          opts: jobOptions(wire),
        }));
        const [only] = bulk;
        if (bulk.length === 1 && only) await queue.add(only.name, only.data, only.opts);
        else await queue.addBulk(bulk);
      }),
    );
  }

  onAnswer(listener: (answer: ScanAnswer) => void): () => void {
    this.#answered = listener;
    return () => {
      if (this.#answered === listener) this.#answered = () => {};
    };
  }

  onReconnect(listener: () => void): () => void {
    this.#reconnected = listener;
    return () => {
      if (this.#reconnected === listener) this.#reconnected = () => {};
    };
  }

  async answersTo(jobIds: readonly string[]): Promise<readonly ScanAnswer[]> {
    const found = await this.#each(jobIds, async ({ queue }, id) => {
      const job: Job<object> | undefined = await queue.getJob(id);
      if (job?.finishedOn === undefined) return undefined;
      return job.failedReason ? this.#crash(id, job.failedReason) : this.#vouchedFor(id, job.returnvalue);
    });
    return found.filter((answer) => answer !== undefined);
  }

  async forget(jobIds: readonly string[]): Promise<void> {
    await this.#each(jobIds, ({ queue }, id) => queue.remove(id));
  }

  async backlog(): Promise<Readonly<Record<string, number>>> {
    const counts = await this.#reach(
      [...this.#lanes].map(async ([backend, { queue }]) => {
        const waiting = await queue.getJobCountByTypes("waiting", "prioritized", "delayed");
        return [backend, waiting] as const;
      }),
    );
    return Object.fromEntries(counts);
  }

  healthy(): boolean {
    return this.trouble() === undefined;
  }

  trouble(): string | undefined {
    if (this.#closed) return "The queue is closed.";
    const [deaf] = [...this.#lanes].find(([, { answers }]) => !answers.connected()) ?? [];
    return (
      this.#check.trouble() ?? (deaf === undefined ? undefined : `The answers of ${deaf} are not heard.`)
    );
  }

  served(): ReadonlySet<string> {
    return this.#served;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#unlisten();
    this.#check.stop();
    // One that is being opened waits for Redis, which may never come back.
    await settledWithin(CLOSE_WITHIN_MS, Promise.allSettled(this.#opening.values()));
    await Promise.allSettled(
      [...this.#lanes.values()].map(async ({ answers, queue }) => {
        await answers.close();
        await settledWithin(CLOSE_WITHIN_MS, queue.close());
      }),
    );
    this.#redis.disconnect();
  }

  /** The backend's queue, with its answers being heard before the first job can be put into it. */
  lane(backend: string): Promise<Lane> {
    const known = this.#opening.get(backend);
    if (known) return known;
    const opening = this.#openLane(backend);
    this.#opening.set(backend, opening);
    opening.catch(() => this.#opening.delete(backend));
    return opening;
  }

  async #openLane(backend: string): Promise<Lane> {
    const { address, log } = this.#options;
    // BullMQ would wait for it, for as long as it takes.
    if (!isUsable(this.#redis)) throw unreachable("the connection is lost");
    const queue = new Queue<object>(backend, {
      connection: this.#redis,
      prefix: this.#prefix,
      // The check would print to stdout's neighbour what `connectRedis` has said in the log.
      skipVersionCheck: true,
    });
    // The connection's own errors are logged by `connectRedis`, those of commands reach their callers.
    queue.on("error", (error) => log.debug({ backend, why: describeError(error) }, "queue.error"));
    await queue.waitUntilReady();
    const answers = await openAnswerStream({
      redis: this.#redis,
      address,
      prefix: this.#prefix,
      backend,
      log,
      onCompleted: (id, value) => this.#answer(this.#vouchedFor(id, value)),
      onFailed: (id, reason) => this.#answer(this.#crash(id, reason)),
      onInterrupted: () => this.#onInterrupted(),
      onReady: () => void this.#check.run(),
    });
    const lane = { queue, answers };
    this.#lanes.set(backend, lane);
    return lane;
  }

  #answer(answer: ScanAnswer | undefined): void {
    if (answer) this.#answered(answer);
  }

  /** The answer to one of our jobs, if its seal holds. */
  #vouchedFor(jobId: string, returned: unknown): ScanAnswer | undefined {
    if (parseScanJobId(jobId) === undefined) return this.#foreign(jobId);
    const opened = this.#seal.open("answer", jobId, returned);
    if (opened.kind === "genuine") return decodeAnswer(jobId, opened.value);
    this.#tellForged(jobId, opened.why);
    return undefined;
  }

  /** BullMQ fails a job when its consumers died under it; scanners' own failures are answers. */
  #crash(jobId: string, reason: string): ScanAnswer | undefined {
    const job = parseScanJobId(jobId);
    if (job === undefined) return this.#foreign(jobId);
    const why = reason.slice(0, MAX_TOLD_CHARS);
    return answerWithoutOpinion(job, "crashed", `No consumer finished the scan: ${why}.`, {
      consumer: "none",
    });
  }

  /** The log warns of the first one only: a stranger who writes one writes thousands. */
  #foreign(jobId: string): undefined {
    const told = { jobId: jobId.slice(0, MAX_TOLD_CHARS) };
    this.#options.log[this.#foreigners++ === 0 ? "warn" : "debug"](told, "queue.foreign-answer");
  }

  readonly #onInterrupted = (): void => {
    if (this.#interrupted || this.#closed) return;
    this.#interrupted = true;
    this.#options.log.warn({ queue: this.#options.queue }, "queue.interrupted");
  };

  readonly #onReady = (): void => void this.#check.run();

  /** A Cluster stays connected when one of its nodes goes, which may be the one with our keys. */
  readonly #onNodeGone = (): void => {
    this.#missed = true;
    void this.#check.run();
  };

  async #look(): Promise<Seen> {
    const backends = [...new Set([...this.#options.backends, ...this.#lanes.keys()])];
    const word = this.#words.next();
    return { ...(await askServed(this.#redis, this.#prefix, { id: this.#id, word, backends })), word };
  }

  #onTaken({ served, before, word }: Seen): void {
    const { log, queue } = this.#options;
    this.#served = served;
    if (!this.#words.taken(word, before)) {
      this.#missed = true;
      // After an interruption that is no news.
      if (!this.#interrupted) log.warn({ queue }, "queue.memory-lost");
    }
    if (this.#refused === "check") {
      this.#refused = undefined;
      log.info({ queue }, "queue.accepted");
    }
    if (!(this.#interrupted || this.#missed) || !this.healthy()) return;
    if (this.#interrupted) log.info({ queue }, "queue.reconnected");
    this.#interrupted = false;
    this.#missed = false;
    this.#reconnected();
  }

  #onRefused(why: string): void {
    this.#missed = true;
    this.#tellRefused("check", why);
  }

  #tellRefused(what: "check" | "dispatch", why: string): void {
    if (this.#refused === undefined) {
      this.#options.log.warn({ queue: this.#options.queue, why }, "queue.refused");
    }
    if (this.#refused !== "dispatch") this.#refused = what;
  }

  #each<T>(jobIds: readonly string[], work: (lane: Lane, id: string) => Promise<T>): Promise<T[]> {
    return this.#reach(
      jobIds.flatMap((id) => {
        const backend = parseScanJobId(id)?.backend;
        return backend === undefined ? [] : [this.lane(backend).then((lane) => work(lane, id))];
      }),
    );
  }

  async #reach<T>(work: readonly Promise<T>[]): Promise<T[]> {
    try {
      return await Promise.all(work);
    } catch (error) {
      throw unreachable(error);
    }
  }
}

/** BullMQ's priorities have 21 bits, 1 is the most urgent, and equal ones are first come, first served. */
const PRIORITIES = 2 ** 21;

/**
 * The deadline as a priority: its second, counted round. Once in 24 days, for as long as a bounty lives, jobs on both
 * sides of the turn wait in the wrong order; finer steps would turn more often, and deadlines come in blocks of a second.
 */
const urgency = (deadline: number): number => 1 + (Math.floor(deadline / 1_000) % (PRIORITIES - 1));

const jobOptions = (job: WireJob) => ({
  jobId: job.id,
  priority: urgency(job.deadline),
  timestamp: job.dispatchedAt,
  removeOnComplete: KEEP_FINISHED,
  removeOnFail: KEEP_FINISHED,
});

const unreachable = (cause: unknown): Fault =>
  cause instanceof Fault && cause.code === "QUEUE_UNREACHABLE"
    ? cause
    : new Fault("QUEUE_UNREACHABLE", `Redis did not do what the queue asked: ${describeError(cause)}.`, {
        retryable: true,
        cause,
      });
