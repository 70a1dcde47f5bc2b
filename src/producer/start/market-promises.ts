/**
 * What keeps the promises on one marketplace: the marketplace itself, the duties, and what the balance shows of them. It needs the
 * ledger and nothing that only new bounties need: no strategy, no queue.
 *
 *     opened ──keep──► waiting until what is owed can be seen to ──► keeping
 *
 * Without promises it stays `opened` until the marketplace is joined, which finds out whether it is there at all. With promises
 * it listens at once, and asks a marketplace that does not answer for as long as it takes.
 */
import type { MarketId } from "../../domain/bounty.ts";
import type { Guid } from "../../domain/guid.ts";
import type { Clock } from "../../domain/instant.ts";
import { PROMISED_STATES, STAKED_STATES } from "../../domain/lifecycle.ts";
import { nct } from "../../domain/nct.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Market } from "../../market/port.ts";
import type { StepTraits } from "../../market/settlement.ts";
import type { ProducerMetrics } from "../../observe/producer-metrics.ts";
import { Duties } from "../duties/duties.ts";
import type { Tell } from "../events/events.ts";
import { BalanceReservations } from "../funds/balance-reservations.ts";

export interface MarketPromisesParts {
  readonly market: Market;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly may: (kind: StepTraits["kind"]) => boolean;
}

/** Once `keep` has resolved: the duties under way, and how many bounties they began with. */
export interface Kept {
  readonly duties: Duties;
  readonly promised: number;
}

export class MarketPromises implements AsyncDisposable {
  readonly id: MarketId;
  readonly market: Market;
  readonly reservations: BalanceReservations;
  readonly kept: Promise<Kept>;
  readonly #parts: MarketPromisesParts;
  readonly #listening = new DisposableStack();
  readonly #settledListeners = new Set<(guid: Guid) => void>();
  readonly #duties: Duties;
  /** The duties are under way. */
  #isKeeping = false;
  /** Nothing new is promised before the marketplace has shown that it is the one that we mean. */
  #isJoined = false;

  constructor(parts: MarketPromisesParts, signal: AbortSignal) {
    const { market, ledger, clock, tell, may } = parts;
    this.#parts = parts;
    this.id = market.id;
    this.market = market;
    this.reservations = new BalanceReservations(market.balance ?? (async () => nct(0n)), clock);
    this.#duties = new Duties({
      settlement: market.settlement,
      ledger,
      reservations: this.reservations,
      tell,
      may: (kind) => (this.#isJoined || kind !== "promise") && may(kind),
      onSettled: (guid) => {
        for (const listener of this.#settledListeners) listener(guid);
      },
    });
    if (ledger.inStates(market.id, STAKED_STATES).length > 0) market.open();
    this.kept = this.#keep(signal);
    this.kept.catch(() => undefined);
  }

  /** Joins the marketplace, so that new bounties may be answered. Throws as `Market.joined` does. */
  async join(until: AbortSignal): Promise<void> {
    await this.market.joined(until);
    this.#isJoined = true;
  }

  /** Bounties that we owe something, by the ledger until the duties are under way. */
  open(): number {
    return this.#isKeeping
      ? this.#duties.open()
      : this.#parts.ledger.inStates(this.id, PROMISED_STATES).length;
  }

  /** Bounties that wait for something longer than usual, by what it is. */
  overdue(): Readonly<Record<string, number>> {
    return this.#duties.overdue();
  }

  /** Calls the listener with each bounty that was settled, until the returned function is called. It must not throw. */
  onSettled(listener: (guid: Guid) => void): () => void {
    this.#settledListeners.add(listener);
    return () => this.#settledListeners.delete(listener);
  }

  /** False while the disk takes no writes: nothing new is promised, what was promised is kept. */
  ledgerWritable(): boolean {
    return this.#duties.ledgerWritable();
  }

  refreshMetrics(metrics: ProducerMetrics): void {
    const market = this.id;
    const { isConnected, moment, requests } = this.market.condition();
    metrics.marketConnected.set({ market }, isConnected ? 1 : 0);
    if (moment !== undefined) metrics.headBlock.set({ market }, moment);
    metrics.marketDeprecated.set({ market }, this.market.refuses() === undefined ? 0 : 1);
    metrics.dutiesOpen.set({ market }, this.open());
    metrics.dutiesFailing.set({ market }, this.#duties.failing());
    for (const [duty, count] of Object.entries(this.overdue()))
      metrics.dutiesOverdue.set({ market, duty }, count);
    metrics.requestsInFlight.set({ market }, requests);
  }

  async stop(): Promise<void> {
    this.market.leave();
    await this.#duties.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // After a stop that took too long a step may still be under way: nothing more is begun.
    void this.#duties.stop();
    await this.market[Symbol.asyncDispose]();
    this.#listening.dispose();
  }

  async #keep(signal: AbortSignal): Promise<Kept> {
    await this.market.reached(signal);
    signal.throwIfAborted();
    this.#listening.use(this.#duties.listen());
    const promised = this.#duties.resume();
    this.#isKeeping = true;
    return { duties: this.#duties, promised };
  }
}
