import type { Clock } from "../../domain/instant.ts";
import { type Nct, nct } from "../../domain/nct.ts";

interface Reservation {
  readonly amount: bigint;
  /** How often the balance had been asked for when the market took it: the next answer no longer contains it. */
  spentAfter?: number;
}

/**
 * What may still be promised: the wallet's balance less what concurrent bounties have promised and the balance does not
 * show yet. A reservation ends when it is released (nothing was posted) or when the balance was read after the market
 * took the stake. Which came first is counted, not timed: a clock may be set.
 */
export class BalanceReservations {
  readonly #readBalance: () => Promise<Nct>;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #reservations = new Map<string, Reservation>();
  #balance: { readonly amount: bigint; readonly askedAt: number } | undefined;
  #asking: Promise<void> | undefined;
  #asked = 0;

  constructor(readBalance: () => Promise<Nct>, clock: Clock, maxAgeMs = 2_000) {
    this.#readBalance = readBalance;
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Makes sure the balance is recent; throws what reading it throws. */
  async refresh(): Promise<void> {
    const age =
      this.#balance === undefined ? Number.POSITIVE_INFINITY : this.#clock.now() - this.#balance.askedAt;
    // A clock that was set back would make an old balance look recent until it caught up.
    if (age >= 0 && age <= this.#maxAgeMs) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  /**
   * What may be promised now. Synchronous: what is looked at, decided and reserved without waiting in between cannot
   * promise what another bounty has promised meanwhile.
   */
  available(): Nct {
    let left = this.#balance?.amount ?? 0n;
    for (const reservation of this.#reservations.values()) left -= reservation.amount;
    return nct(left > 0n ? left : 0n);
  }

  /** The balance as last read, for metrics. */
  lastBalance(): Nct | undefined {
    return this.#balance === undefined ? undefined : nct(this.#balance.amount);
  }

  reserve(id: string, amount: bigint): void {
    this.#reservations.set(id, { amount });
  }

  /** Nothing was posted: the money is free again. */
  release(id: string): void {
    this.#reservations.delete(id);
  }

  /** The market took it: the next balance that is read will show it. */
  spent(id: string): void {
    const reservation = this.#reservations.get(id);
    if (reservation !== undefined) reservation.spentAfter = this.#asked;
  }

  async #ask(): Promise<void> {
    const askedAt = this.#clock.now();
    const number = ++this.#asked;
    this.#balance = { amount: await this.#readBalance(), askedAt };
    for (const [id, reservation] of this.#reservations) {
      const { spentAfter } = reservation;
      if (spentAfter !== undefined && spentAfter < number) this.#reservations.delete(id);
    }
  }
}
