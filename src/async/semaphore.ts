/** Lets so many through at a time; the others wait in line, the longest first. */
export class Semaphore {
  #room: number;
  readonly #line: (() => void)[] = [];

  constructor(size: number) {
    this.#room = size;
  }

  /** A place, to be disposed of when one is done; `undefined` when the signal aborted before there was one. */
  async enter(signal: AbortSignal): Promise<Disposable | undefined> {
    if (signal.aborted) return undefined;
    if (this.#room > 0) this.#room--;
    else if (!(await this.#wait(signal))) return undefined;
    return { [Symbol.dispose]: () => this.#leave() };
  }

  async #wait(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const letIn = (): void => resolve(true);
    const giveUp = (): void => {
      const at = this.#line.indexOf(letIn);
      if (at === -1) return;
      this.#line.splice(at, 1);
      resolve(false);
    };
    this.#line.push(letIn);
    signal.addEventListener("abort", giveUp, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", giveUp));
  }

  /** The place goes from hand to hand: put back first, a newcomer could take it from the one who waits. */
  #leave(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#room++;
    else next();
  }
}
