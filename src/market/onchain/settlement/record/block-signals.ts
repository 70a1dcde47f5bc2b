/** Blocks that come in a burst, after the stream was held up, say nothing of how long there was time to answer. */
const LEAST_MS = 1_000;

/** Signals that abort by the block: what waits for the chain is given up by the chain's own clock. */
export class BlockSignals {
  readonly #waiting = new Set<{
    readonly from: number;
    readonly notBefore: number;
    readonly controller: AbortController;
  }>();
  readonly #steadyMs: () => number;

  constructor(steadyMs: () => number) {
    this.#steadyMs = steadyMs;
  }

  /** Aborts when a block is heard of that is this one or a later one, and a second has passed. */
  from(block: number): AbortSignal {
    const controller = new AbortController();
    this.#waiting.add({ from: block, notBefore: this.#steadyMs() + LEAST_MS, controller });
    return controller.signal;
  }

  heard(block: number): void {
    const now = this.#steadyMs();
    for (const entry of this.#waiting) {
      if (block < entry.from || now < entry.notBefore) continue;
      this.#waiting.delete(entry);
      entry.controller.abort();
    }
  }
}
