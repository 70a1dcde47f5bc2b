import type { Lane } from "../http/lane.ts";
import { LaneQueue } from "../http/lane-queue.ts";

/** Runs one task at a time; of those waiting, the one with the most to lose is next. */
export class LaneMutex {
  readonly #waiting = new LaneQueue<() => void>();
  #busy = false;

  async run<T>(lane: Lane, task: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(lane, resolve);
      await promise;
    }
    this.#busy = true;
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  /** The next task begins without a free moment in between, so that no new one overtakes it. */
  #release(): void {
    const admit = this.#waiting.take();
    if (admit === undefined) this.#busy = false;
    else admit();
  }
}
