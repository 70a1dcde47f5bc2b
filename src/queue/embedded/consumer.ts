/**
 * The consumer's side of the embedded queue, inside a child process of the producer.
 *
 * States: waiting -> serving -> draining (asked to, by either side) -> ended; and from anywhere to ended when the
 * channel closes, which means that the producer is gone and wants no answer any more.
 */

import { settledWithin } from "../../async/within.ts";
import { ConfigFault, describeError } from "../../domain/fault.ts";
import { type Clock, systemClock } from "../../domain/instant.ts";
import type { RateAnswer, RateCounter } from "../../domain/rate-limit.ts";
import type { Logger } from "../../observe/log.ts";
import { decodeJob } from "../job-codec.ts";
import { runJob } from "../job-run.ts";
import type { ScanHandler, ScanWork, ServeOptions } from "../port.ts";
import { readToConsumer, type ToProducer } from "./messages.ts";

const STOP_WITHIN_MS = 1_000;

/** The way to the producer. `process` is one, in a forked child. */
interface ParentChannel {
  /** False once the channel is closed. */
  readonly connected?: boolean;
  send?(message: unknown, sent: (error: Error | null) => void): boolean;
  disconnect?(): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
  off(event: "message", listener: (message: unknown) => void): unknown;
  off(event: "disconnect", listener: () => void): unknown;
}

interface EmbeddedWorkOptions {
  readonly channel: ParentChannel;
  /** Name of this consumer, for answers. */
  readonly consumer: string;
  readonly log: Logger;
  readonly clock?: Clock;
}

interface EmbeddedWork extends ScanWork {
  /**
   * Resolves when there is nothing left to do: `drained` after the producer asked for it and the last answer was
   * sent, `orphaned` when the producer is gone, `disposed` after our own end. The process should then exit.
   */
  readonly ended: Promise<"drained" | "orphaned" | "disposed">;
}

/** Throws ConfigFault NOT_A_CHILD when there is no producer at the other end. */
export function openEmbeddedWork(options: EmbeddedWorkOptions): EmbeddedWork {
  if (options.channel.send === undefined) {
    throw new ConfigFault("NOT_A_CHILD", "An embedded consumer is started by its producer only.", {
      hint: "Use `microengine consumer` with --redis-addr to run one by itself.",
    });
  }
  return new ChildWork(options);
}

class ChildWork implements EmbeddedWork {
  readonly ended: Promise<"drained" | "orphaned" | "disposed">;
  readonly rates: RateCounter = { use: (...asked) => this.#ask(...asked) };
  readonly #uses = new Map<number, (answer: RateAnswer) => void>();
  readonly #end: (how: "drained" | "orphaned" | "disposed") => void;
  readonly #options: EmbeddedWorkOptions;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #sending = new Set<Promise<void>>();
  readonly #onMessage = (message: unknown): void => this.#hear(message);
  readonly #onDisconnect = (): void => this.#orphaned();
  #handler: ScanHandler | undefined;
  #asked = 0;
  #draining = false;
  #open = true;

  constructor(options: EmbeddedWorkOptions) {
    const { promise, resolve } = Promise.withResolvers<"drained" | "orphaned" | "disposed">();
    this.ended = promise;
    this.#end = resolve;
    this.#options = options;
    options.channel.on("message", this.#onMessage);
    options.channel.on("disconnect", this.#onDisconnect);
    // A producer that died while this process still began has closed it before this process listened.
    if (options.channel.connected === false) this.#orphaned();
  }

  async serve(backends: readonly string[], handler: ScanHandler, options: ServeOptions): Promise<void> {
    this.#handler = handler;
    const { concurrency, perBackend } = options;
    const bounds = { concurrency, ...(perBackend === undefined ? {} : { perBackend }) };
    await this.#tell({ kind: "serve", backends, ...bounds });
  }

  async drain(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true;
      void this.#tell({ kind: "draining" });
    }
    while (this.#running.size > 0) await Promise.all(this.#running);
    await Promise.all(this.#sending);
  }

  healthy(): boolean {
    return this.trouble() === undefined;
  }

  trouble(): string | undefined {
    if (!this.#open) return "The producer is gone.";
    if (this.#draining) return "The consumer stops.";
    return this.#handler === undefined ? "Jobs are not asked for yet." : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new DOMException("The consumer stops.", "AbortError"));
    await settledWithin(STOP_WITHIN_MS, this.drain());
    this.#leave("disposed");
  }

  #hear(message: unknown): void {
    const heard = readToConsumer(message);
    if (heard?.kind === "job") this.#take(heard.job);
    if (heard?.kind === "used") this.#uses.get(heard.use)?.(heard.answer);
    if (heard?.kind === "drain") void this.drain().then(() => this.#leave("drained"));
  }

  #take(data: unknown): void {
    const { consumer, log, clock = systemClock } = this.#options;
    const job = decodeJob(data, (why) => log.warn({ why }, "queue.malformed-job"));
    if (job === undefined) return;
    const work = async (): Promise<void> => {
      const handler = this.#draining ? undefined : this.#handler;
      // The other end of the channel is the producer, which started this process.
      const run = { stop: this.#stop.signal, clock, consumer, origin: "certain" } as const;
      const answer = handler && (await runJob(job, { ...run, handler }));
      await this.#tell(
        answer ? { kind: "answer", jobId: job.id, answer } : { kind: "returned", jobId: job.id },
      );
    };
    const running = work().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** The producer counts, for all its consumers. */
  async #ask(...[name, limits, how]: Parameters<RateCounter["use"]>): Promise<RateAnswer> {
    const { promise, resolve } = Promise.withResolvers<RateAnswer>();
    const use = ++this.#asked;
    const gone = (): void => resolve({ kind: "unknown", why: "the producer is gone" });
    this.#uses.set(use, resolve);
    this.#stop.signal.addEventListener("abort", gone, { once: true });
    if (this.#stop.signal.aborted) gone();
    void this.#tell({ kind: "use", use, name, limits, how });
    return promise.finally(() => {
      this.#uses.delete(use);
      this.#stop.signal.removeEventListener("abort", gone);
    });
  }

  /** Resolves when the message has left this process, or cannot any more. */
  #tell(message: ToProducer): Promise<void> {
    const sending = new Promise<void>((resolve) => {
      if (!this.#open) return resolve();
      this.#options.channel.send?.(message, (error) => {
        if (error) this.#options.log.debug({ why: describeError(error) }, "queue.send-failed");
        resolve();
      });
    }).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
    return sending;
  }

  #orphaned(): void {
    this.#options.log.info({}, "queue.producer-gone");
    this.#draining = true;
    this.#stop.abort(new DOMException("The producer is gone.", "AbortError"));
    this.#close("orphaned");
  }

  #leave(how: "drained" | "disposed"): void {
    if (this.#close(how)) this.#options.channel.disconnect?.();
  }

  #close(how: "drained" | "orphaned" | "disposed"): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#options.channel.off("message", this.#onMessage);
    this.#options.channel.off("disconnect", this.#onDisconnect);
    this.#end(how);
    return true;
  }
}
