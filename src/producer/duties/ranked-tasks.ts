/**
 * Runs tasks in the background, a few at a time. Of those waiting, the lowest rank is next, then the one that came
 * first. Between two tasks the event loop has a turn, so that ten thousand of them hold up nothing else.
 */
export class RankedTasks {
  readonly #slots: number;
  readonly #waiting: (() => Promise<void>)[][];
  #busy = 0;

  /** Ranks go from 0 to `ranks - 1`. */
  constructor(slots: number, ranks: number) {
    this.#slots = slots;
    this.#waiting = Array.from({ length: ranks }, () => []);
  }

  /** The task must not reject. It begins at once when a slot is free. */
  run(rank: number, task: () => Promise<void>): void {
    if (this.#busy < this.#slots) void this.#work(task);
    else this.#waiting[rank]!.push(task);
  }

  /** Forgets what has not begun. */
  clear(): void {
    for (const tasks of this.#waiting) tasks.length = 0;
  }

  async #work(first: () => Promise<void>): Promise<void> {
    this.#busy++;
    for (let task: typeof first | undefined = first; task !== undefined; task = this.#next()) {
      await task();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#busy--;
  }

  #next(): (() => Promise<void>) | undefined {
    return this.#waiting.find((tasks) => tasks.length > 0)?.shift();
  }
}
