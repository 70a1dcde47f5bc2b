import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../../../observe/log.ts";
import { MarketFault } from "../http/answer.ts";
import { type BlockNumber, block } from "../port/block.ts";
import type { Reads } from "../reads/reads.ts";
import { BlockHead } from "./block-head.ts";

interface HeadWatchOptions {
  readonly reads: Pick<Reads, "blockNumber">;
  /** Called with every head that is news, and with the head after every reconnect. */
  readonly onBlock: (number: BlockNumber) => void;
  readonly log: Logger;
  /** The stream may say nothing for so long before the gateway is asked instead; three blocks if those take longer. Default 3 s. */
  readonly quietMs?: number | undefined;
}

interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** See `Ask.repeatable`. */
  readonly repeatable?: boolean;
}

/** A stream of nonsense must not become a stream of questions. */
const CHECK_EVERY_MS = 1_000;
const QUIET_MS = 3_000;
const QUIET_BLOCKS = 3;

/**
 * Follows the head of the chain by the stream, and asks the gateway when that says something odd or nothing at all: what
 * is promised must be kept also where only requests get through.
 *
 *     listening ──quiet for too long──► asking, for every block ──the stream names a block──► listening
 */
export class HeadWatch {
  readonly #options: HeadWatchOptions;
  readonly #head = new BlockHead();
  readonly #reached = Promise.withResolvers<void>();
  #nextCheckAtMs = 0;
  #heardAtMs = performance.now();

  constructor(options: HeadWatchOptions) {
    this.#options = options;
  }

  /** Resolves when a block is known, from either source. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  /** When the stream named a block last, or we began; on the clock of `performance.now`. */
  heardAtMs(): number {
    return this.#heardAtMs;
  }

  number(): BlockNumber | undefined {
    return this.#head.number();
  }

  blockMs(): number | undefined {
    return this.#head.blockMs();
  }

  /** The stream named a block. */
  heard(number: BlockNumber, signal: AbortSignal): void {
    this.#heardAtMs = performance.now();
    const weight = this.#head.heard(number, performance.now());
    if (weight === "news") this.#tell();
    if (weight === "odd") void this.#check(number, signal);
  }

  /** Asks in place of a stream that says nothing, until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const blockMs = this.#head.blockMs() ?? 0;
      const quietMs = Math.max(this.#options.quietMs ?? QUIET_MS, QUIET_BLOCKS * blockMs);
      // Before any is known there is nothing to wait for.
      const leftMs = this.#head.number() === undefined ? 0 : this.#heardAtMs + quietMs - performance.now();
      // What cannot be asked now is asked a moment later.
      if (leftMs <= 0) await this.ask({ signal, repeatable: false }).catch(() => undefined);
      const waitMs = leftMs > 0 ? leftMs : Math.max(blockMs, CHECK_EVERY_MS);
      await sleep(Math.ceil(waitMs), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** What the gateway says when asked, odd or not; the head follows if it may. Throws MarketFault. */
  async ask(options: AskOptions = {}): Promise<BlockNumber> {
    const number = await this.#options.reads.blockNumber(options);
    if (this.#head.asked(number) === "news") this.#tell();
    return number;
  }

  /** Blocks were missed: asks, and tells of the head even if there was none. Throws MarketFault. */
  async catchUp(options: AskOptions): Promise<void> {
    const number = await this.#options.reads.blockNumber(options);
    if (this.#head.asked(number) !== "odd") this.#tell();
  }

  async #check(odd: BlockNumber, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    if (now < this.#nextCheckAtMs) return;
    this.#nextCheckAtMs = now + CHECK_EVERY_MS;
    try {
      const number = await this.ask({ signal });
      const head = this.#head.number();
      this.#options.log.warn({ heard: odd, asked: number, head }, "market.block-odd");
    } catch (error) {
      // The stream goes on, and so may the head without an answer.
      if (!(error instanceof MarketFault) && !signal.aborted) throw error;
    }
  }

  #tell(): void {
    this.#reached.resolve();
    this.#options.onBlock(this.#head.number() ?? block(0));
  }
}
