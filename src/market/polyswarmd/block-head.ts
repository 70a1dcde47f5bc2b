import type { BlockNumber } from "../../domain/chain.ts";

/** So many lower numbers in a row are a chain that was reset, not a node that lags. */
const RESET_AFTER = 5;

/**
 * The newest block heard of, and how long a block takes. Numbers only ever increase, because gateways repeat them and
 * nodes behind them lag; except that the first number after a reconnect is taken as it comes, and that a chain which
 * stays below for a while has been reset and is followed down.
 */
export class BlockHead {
  #number: BlockNumber | undefined;
  #heardAtMs = 0;
  #blockMs: number | undefined;
  #lower = 0;
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
      if (number === before) this.#lower = 0;
      if (number < before) this.#lower++;
      if (number <= before && this.#lower < RESET_AFTER) return false;
      if (number > before) this.#measure((atMs - this.#heardAtMs) / (number - before));
    }
    const news = number !== before;
    this.#number = number;
    this.#heardAtMs = atMs;
    this.#lower = 0;
    this.#fresh = false;
    return news;
  }

  #measure(ms: number): void {
    this.#blockMs = this.#blockMs === undefined ? ms : this.#blockMs * 0.8 + ms * 0.2;
  }
}
