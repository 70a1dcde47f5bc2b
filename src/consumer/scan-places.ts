import { WaitingLine } from "../async/waiting-line.ts";

/**
 * Who may scan: so many at a time over all backends, and of each backend always one. A backend whose scans hang until
 * their deadlines would otherwise hold every place while the others miss theirs. The longest waiting go first.
 */
export class ScanPlaces {
  readonly #size: number;
  #taken = 0;
  /** Of each backend that has any. */
  readonly #takenBy = new Map<string, number>();
  readonly #line = new WaitingLine<string>();

  constructor(size: number) {
    this.#size = size;
  }

  /** A place, to be disposed of when one is done; `undefined` when the signal aborted before there was one. */
  async enter(signal: AbortSignal, backend: string): Promise<Disposable | undefined> {
    if (signal.aborted) return undefined;
    if (this.#admits(backend)) this.#take(backend);
    else if (!(await this.#line.wait(backend, signal))) return undefined;
    return { [Symbol.dispose]: () => this.#leave(backend) };
  }

  #admits(backend: string): boolean {
    return this.#taken < this.#size || !this.#takenBy.has(backend);
  }

  #take(backend: string): void {
    this.#taken++;
    this.#takenBy.set(backend, (this.#takenBy.get(backend) ?? 0) + 1);
  }

  #leave(backend: string): void {
    this.#taken--;
    const left = this.#takenBy.get(backend)! - 1;
    if (left === 0) this.#takenBy.delete(backend);
    else this.#takenBy.set(backend, left);
    for (const { key, letIn } of this.#line) {
      if (!this.#admits(key)) continue;
      this.#take(key);
      letIn();
    }
  }
}
