import { createLogger } from "../../src/observe/log.ts";
import type { Chain } from "../../src/sandbox/chain/chain.ts";
import { followHead } from "../../src/sandbox/chain/head.ts";

interface Waiting {
  readonly until: () => boolean;
  readonly resolve: () => void;
}

/** The chain's blocks as they come: time, as far as chaos is concerned. */
export class Blocks implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #waiting = new Set<Waiting>();
  readonly #following: Promise<void>;
  #head: number;

  private constructor(
    chain: Chain,
    head: number,
    pollMs: number,
    onBlock: (head: number) => Promise<void> | void,
  ) {
    this.#head = head;
    const log = createLogger({ level: "silent", format: "json", name: "chaos" });
    this.#following = followHead(chain, { pollMs, signal: this.#stop.signal, log }, async (newest) => {
      this.#head = newest;
      await onBlock(newest);
      for (const waiting of this.#waiting) {
        if (waiting.until()) waiting.resolve();
      }
    });
  }

  /** `onBlock` is told of every new head, though not of every block. */
  static async follow(
    chain: Chain,
    pollMs: number,
    onBlock: (head: number) => Promise<void> | void,
  ): Promise<Blocks> {
    return new Blocks(chain, await chain.head(), pollMs, onBlock);
  }

  get head(): number {
    return this.#head;
  }

  /** Resolves at the first block at which this is so. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting: Waiting = { until: condition, resolve };
    this.#waiting.add(waiting);
    await promise;
    this.#waiting.delete(waiting);
  }

  async pass(count: number): Promise<void> {
    const wanted = this.#head + count;
    await this.until(() => this.#head >= wanted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }
}
