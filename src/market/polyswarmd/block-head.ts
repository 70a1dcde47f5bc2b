import type { BlockNumber } from "../../domain/chain.ts";

/** So many numbers in a row that do not follow are a chain that was reset, not a node that lags or a slip. */
const RESET_AFTER = 5;
/** Blocks. A connection does not live through so many without a word of one in between. */
const LEAP = 1_000;

/**
 * The newest block heard of, and how long a block takes. Numbers only ever increase, because gateways repeat them and
 * nodes behind them lag, and never by a leap: a single number of another chain would make every reveal look too late.
 * Except that the first number after a reconnect is taken as it comes, and that a chain which stays below, or far above,
 * for a while has been reset and is followed.
 */
export class BlockHead {
  #number: BlockNumber | undefined;
  #heardAtMs = 0;
  #blockMs: number | undefined;
  /** Numbers in a row that did not follow the last one. */
  #astray = 0;
  #fresh = true;

  number(): BlockNumber | undefined {
    return this.#number;
  }

  /** Milliseconds from block to block, smoothed; undefined before two were heard. */
  blockMs(): number | undefined {
    return this.#blockMs;
  }

  /** The next number counts, whatever it is. */
  reconnected(): void {
    this.#fresh = true;
  }

  /** Whether this is news. `atMs` is any clock that does not step. */
  hear(number: BlockNumber, atMs: number): boolean {
    const before = this.#number;
    if (before !== undefined && !this.#fresh) {
      const ahead = number - before;
      const follows = ahead > 0 && ahead <= LEAP;
      this.#astray = follows || ahead === 0 ? 0 : this.#astray + 1;
      if (!follows && this.#astray < RESET_AFTER) return false;
      if (follows) this.#measure((atMs - this.#heardAtMs) / ahead);
    }
    const news = number !== before;
    this.#number = number;
    this.#heardAtMs = atMs;
    this.#astray = 0;
    this.#fresh = false;
    return news;
  }

  #measure(ms: number): void {
    this.#blockMs = this.#blockMs === undefined ? ms : this.#blockMs * 0.8 + ms * 0.2;
  }
}
