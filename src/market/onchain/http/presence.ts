/**
 * Whether the gateway is gone, for a producer that stops: what waits for it then waits in vain, and is in the ledger for
 * the next start. While the producer runs a gateway is never given up.
 *
 *     staying ──leave──► leaving ──no connection for two seconds, and no answer of any kind──► gone
 *
 * A time-out is no sign: a slow gateway may have taken what it was sent.
 */
const GONE_AFTER_MS = 2_000;

export class Presence {
  readonly #nowMs: () => number;
  #leaving = false;
  #unreachableSince: number | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The producer stops. What was unreachable before counts from now on. */
  leave(): void {
    this.#leaving = true;
    this.#unreachableSince = undefined;
  }

  /** It answered, whatever it said. */
  answered(): void {
    this.#unreachableSince = undefined;
  }

  /** A connection was refused or lost. */
  unreachable(): void {
    this.#unreachableSince ??= this.#nowMs();
  }

  gone(): boolean {
    if (!this.#leaving || this.#unreachableSince === undefined) return false;
    return this.#nowMs() - this.#unreachableSince >= GONE_AFTER_MS;
  }
}
