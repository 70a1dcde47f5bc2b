import { LANES, type Lane } from "./pacing.ts";

/** Runs one task at a time; of those waiting, the one with the most to lose is next. */
export class LaneMutex {
  readonly #waiting: { readonly lane: Lane; readonly admit: () => void }[] = [];
  #busy = false;

  async run<T>(lane: Lane, task: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push({ lane, admit: resolve });
      await promise;
    }
    this.#busy = true;
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  /** Hands over without becoming free in between, so that nobody slips in. */
  #release(): void {
    const [next] = this.#waiting.toSorted((a, b) => LANES.indexOf(a.lane) - LANES.indexOf(b.lane));
    if (next === undefined) {
      this.#busy = false;
      return;
    }
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    next.admit();
  }
}
