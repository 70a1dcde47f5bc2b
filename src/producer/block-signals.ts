/** Signals that abort by the block: what waits for the chain is given up by the chain's own clock. */
export class BlockSignals {
  readonly #waiting = new Set<{ readonly from: number; readonly controller: AbortController }>();

  /** Aborts at the first block heard of from now on that is this one or a later one. */
  from(block: number): AbortSignal {
    const controller = new AbortController();
    this.#waiting.add({ from: block, controller });
    return controller.signal;
  }

  heard(block: number): void {
    for (const entry of this.#waiting) {
      if (block < entry.from) continue;
      this.#waiting.delete(entry);
      entry.controller.abort();
    }
  }
}
