import { unlessAborted } from "../../async/unless-aborted.ts";

/** Work that is done one after the other, in the order in which it was asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Rejects with the signal's reason once it aborts, waiting or at work; work whose turn had not come is not begun. */
  take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const turn = this.#last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => {});
    return unlessAborted(signal, turn, () => {
      throw signal.reason;
    });
  }
}
