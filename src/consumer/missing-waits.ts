/**
 * How many downloads may wait at a time for artifacts that the gateway does not find. Each holds a job of every backend
 * that asked for it, and behind a crowd of them the jobs of ordinary bounties would wait.
 */
export class MissingWaits {
  readonly #most: number;
  #waiting = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** A place to wait in, to be disposed of when one is done; `undefined` when all are taken. */
  enter(): Disposable | undefined {
    if (this.#waiting >= this.#most) return undefined;
    this.#waiting++;
    return {
      [Symbol.dispose]: () => {
        this.#waiting--;
      },
    };
  }
}
