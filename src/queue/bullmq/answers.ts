/**
 * The stream of answers of one backend, over BullMQ's QueueEvents.
 *
 * States: reading <-> disconnected, in which the connection looks for Redis by itself and then goes on where it was;
 * reading -> broken, by an entry that is not BullMQ's or because the connection was given up -> reading again behind the
 * newest entry, as after a reconnect. BullMQ resets the connection when a read is overdue; where Redis says nothing at
 * all, as a frozen one does, that fails, and BullMQ leaves it closed for good.
 *
 * It starts behind the newest entry that is in the stream when it is opened rather than at "now": QueueEvents' own "$"
 * means the moment its first read reaches Redis, and misses what happens before.
 */
import { QueueEvents, type QueueEventsListener } from "bullmq";
import { settledWithin } from "../../async/within.ts";
import { describeError } from "../../domain/fault.ts";
import type { Logger } from "../../observe/log.ts";
import type { RedisAddress } from "../../redis/address.ts";
import { connectionOf } from "../../redis/client.ts";
import type { RedisClient } from "../../redis/connection.ts";
import { BLOCKING_READ_S } from "./names.ts";

const CLOSE_WITHIN_MS = 1_000;
const REOPEN_EVERY_MS = 1_000;

interface AnswerStreamOptions {
  /** For commands that do not block. */
  readonly redis: RedisClient;
  /** For the connection of the stream's own. */
  readonly address: RedisAddress;
  readonly prefix: string;
  readonly backend: string;
  readonly log: Logger;
  onCompleted(jobId: string, returned: unknown): void;
  /** BullMQ gave the job up. */
  onFailed(jobId: string, reason: string): void;
  onInterrupted(): void;
  /** Reading again after an interruption. */
  onReady(): void;
}

export async function openAnswerStream(options: AnswerStreamOptions): Promise<AnswerStream> {
  const stream = new AnswerStream(options);
  await stream.open();
  return stream;
}

export class AnswerStream {
  readonly #options: AnswerStreamOptions;
  #events: QueueEvents | undefined;
  /** Takes off what hears the stream. */
  #listening = new DisposableStack();
  #connected = false;
  #closed = false;

  constructor(options: AnswerStreamOptions) {
    this.#options = options;
  }

  connected(): boolean {
    return this.#connected;
  }

  async open(): Promise<void> {
    const { redis, address, prefix, backend, log } = this.#options;
    const [newest] = await redis.xrevrange(`${prefix}:${backend}:events`, "+", "-", "COUNT", 1);
    const events = new QueueEvents(backend, {
      connection: connectionOf(address, "patient"),
      prefix,
      skipVersionCheck: true,
      autorun: false,
      blockingTimeout: BLOCKING_READ_S * 1_000,
      lastEventId: newest?.[0] ?? "0-0",
    });
    this.#events = events;
    events.on("error", (error) => log.debug({ backend, why: describeError(error) }, "queue.stream-error"));
    this.#hear(events);
    await events.waitUntilReady();
    const client = await events.getBackend().client;
    this.#connected = true;
    this.#watch(events);
    const ended = (): void => void this.#restart(events);
    client.on("end", ended);
    this.#listening.defer(() => client.off("end", ended));
    events.run().catch((error: unknown) => {
      log.error({ backend, why: describeError(error) }, "queue.stream-broke");
      return this.#restart(events);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connected = false;
    this.#listening.dispose();
    if (this.#events) await settledWithin(CLOSE_WITHIN_MS, this.#events.close());
  }

  /** What jobs come to. The listener for errors stays: an error that nothing hears ends a process. */
  #hear(events: QueueEvents): void {
    const { onCompleted, onFailed } = this.#options;
    const completed: QueueEventsListener["completed"] = ({ jobId, returnvalue }) =>
      onCompleted(jobId, returnvalue);
    const failed: QueueEventsListener["failed"] = ({ jobId, failedReason }) => onFailed(jobId, failedReason);
    events.on("completed", completed).on("failed", failed);
    this.#listening = new DisposableStack();
    this.#listening.defer(() => void events.off("completed", completed).off("failed", failed));
  }

  #watch(events: QueueEvents): void {
    const backend = events.getBackend();
    const closed = (): void => {
      if (this.#closed || this.#events !== events) return;
      this.#connected = false;
      this.#options.onInterrupted();
    };
    const ready = (): void => {
      if (this.#closed || this.#events !== events || this.#connected) return;
      this.#connected = true;
      this.#options.onReady();
    };
    backend.on("close", closed).on("ready", ready);
    this.#listening.defer(() => void backend.off("close", closed).off("ready", ready));
  }

  /** QueueEvents stops for good at an entry it cannot parse. The answers behind that entry matter more. */
  async #restart(broken: QueueEvents): Promise<void> {
    if (this.#closed || this.#events !== broken) return;
    this.#events = undefined;
    this.#connected = false;
    this.#listening.dispose();
    this.#options.onInterrupted();
    await settledWithin(CLOSE_WITHIN_MS, broken.close());
    await this.#reopen();
  }

  async #reopen(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.open();
      this.#options.onReady();
    } catch (error) {
      const { backend, log } = this.#options;
      log.debug({ backend, why: describeError(error) }, "queue.stream-not-opened");
      setTimeout(() => void this.#reopen(), REOPEN_EVERY_MS).unref();
    }
  }
}
