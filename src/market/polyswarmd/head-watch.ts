import { type BlockNumber, block } from "../../domain/chain.ts";
import type { Logger } from "../../observe/log.ts";
import { MarketFault } from "./answer.ts";
import { BlockHead } from "./block-head.ts";
import type { Reads } from "./reads.ts";

export interface HeadWatchOptions {
  readonly reads: Pick<Reads, "blockNumber">;
  /** Called with every head that is news, and with the head after every reconnect. */
  readonly onBlock: (number: BlockNumber) => void;
  readonly log: Logger;
}

interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** See `Ask.repeatable`. */
  readonly repeatable?: boolean;
}

/** A stream of nonsense must not become a stream of questions. */
const CHECK_EVERY_MS = 1_000;

/** Follows the head of the chain, and asks the gateway when the stream says something odd. */
export class HeadWatch {
  readonly #options: HeadWatchOptions;
  readonly #head = new BlockHead();
  #nextCheckAtMs = 0;

  constructor(options: HeadWatchOptions) {
    this.#options = options;
  }

  number(): BlockNumber | undefined {
    return this.#head.number();
  }

  blockMs(): number | undefined {
    return this.#head.blockMs();
  }

  /** The stream named a block. */
  heard(number: BlockNumber, signal: AbortSignal): void {
    const weight = this.#head.heard(number, performance.now());
    if (weight === "news") this.#tell();
    if (weight === "odd") void this.#check(number, signal);
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
    this.#options.onBlock(this.#head.number() ?? block(0));
  }
}
