/**
 * Who may send next. Normally everybody, at once. When the marketplace says 429 the gate closes for everybody, and when
 * it opens again those who waited pass one by one, the ones with the most to lose first.
 *
 *     open    - pass() resolves at once
 *     closed  - pass() waits; close() may prolong it
 *     passing - the closing time is over and somebody still waits: one passes every `spacingMs`, newcomers queue up
 */

/** What a request is for, most urgent first: an unrevealed stake is lost, a settlement can wait for ever. */
export const LANES = ["reveal", "assertion", "settle", "read"] as const;
export type Lane = (typeof LANES)[number];

interface Waiter {
  readonly lane: Lane;
  readonly admit: () => void;
}

export class Gate {
  readonly #spacingMs: number;
  readonly #waiting: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;
  #opensAt = 0;

  constructor(options: { readonly spacingMs: number }) {
    this.#spacingMs = options.spacingMs;
  }

  /** Nobody passes for `forMs` milliseconds from now. */
  close(forMs: number): void {
    this.#opensAt = Math.max(this.#opensAt, performance.now() + forMs);
    this.#schedule();
  }

  /** Resolves when a request of this lane may be sent; rejects with the signal's reason. */
  async pass(lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#timer === undefined) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { lane, admit: resolve };
    const leave = () => {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      reject(signal?.reason);
    };
    this.#waiting.push(waiter);
    signal?.addEventListener("abort", leave, { once: true });
    await promise.finally(() => signal?.removeEventListener("abort", leave));
  }

  /** Everybody passes, for good: there is nothing behind the gate any more. */
  release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { admit } of this.#waiting.splice(0)) admit();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const inMs = Math.max(this.#opensAt - performance.now(), 0);
    this.#timer = setTimeout(() => this.#admitOne(), inMs);
  }

  #admitOne(): void {
    this.#timer = undefined;
    const [next] = this.#waiting.toSorted((a, b) => LANES.indexOf(a.lane) - LANES.indexOf(b.lane));
    if (next === undefined) return;
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    this.#opensAt = performance.now() + this.#spacingMs;
    this.#schedule();
    next.admit();
  }
}
