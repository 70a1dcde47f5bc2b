import { WaitingLine } from "./waiting-line.ts";

/** Lets so many through at a time; the others wait in line, by an order of keys where there is one, the longest first. */
export class Semaphore<Key = undefined> {
  readonly #size: number;
  #taken = 0;
  readonly #line: WaitingLine<Key | undefined>;

  constructor(size: number, order: readonly Key[] = []) {
    this.#size = size;
    this.#line = new WaitingLine<Key | undefined>(order);
  }

  /** How many are in. */
  taken(): number {
    return this.#taken;
  }

  /** A place, to be disposed of when one is done; `undefined` when the signal aborted before there was one. */
  async enter(signal: AbortSignal | undefined, key?: Key): Promise<Disposable | undefined> {
    if (signal?.aborted) return undefined;
    return this.enterAtOnce() ?? ((await this.#line.wait(key, signal)) ? this.#place() : undefined);
  }

  /** Does the work in a place of its own: at once when one is free. */
  async run<T>(key: Key, work: () => Promise<T>): Promise<T> {
    using _place = this.enterAtOnce() ?? (await this.enter(undefined, key));
    return await work();
  }

  /** A place if one is free. */
  enterAtOnce(): Disposable | undefined {
    if (this.#taken >= this.#size) return undefined;
    this.#taken++;
    return this.#place();
  }

  #place(): Disposable {
    return { [Symbol.dispose]: () => this.#leave() };
  }

  /** The place goes from hand to hand: put back first, a newcomer could take it from the one who waits. */
  #leave(): void {
    const next = this.#line.first();
    if (next === undefined) this.#taken--;
    else next.letIn();
  }
}
