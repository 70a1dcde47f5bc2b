/** A limit on how many jobs run at once, shared by everything that takes jobs. */
export class JobSlots {
  #free: number;
  #closed = false;
  #waiters: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes a slot, or says that there is none to have. */
  take(): boolean {
    if (this.#closed || this.#free === 0) return false;
    this.#free--;
    return true;
  }

  release(): void {
    this.#free++;
    this.#wake();
  }

  /** Resolves when a slot may have become free, or none will be wanted any more. */
  async room(): Promise<void> {
    if (this.#closed || this.#free > 0) return;
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Gives out no slot any more, and ends every wait for room. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
