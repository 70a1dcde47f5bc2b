import type { RecoverConfig } from "../../config/commands/recover.ts";
import type { Guid } from "../../domain/guid.ts";
import type { Clock } from "../../domain/instant.ts";
import { PROMISED_STATES } from "../../domain/lifecycle.ts";
import { nct } from "../../domain/nct.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Market } from "../../market/port.ts";
import type { Recovered } from "../../market/recovery.ts";
import type { TellRecover } from "../../market/recovery-events.ts";
import { Duties } from "../duties/duties.ts";
import type { Tell } from "../events/events.ts";
import { BalanceReservations } from "../funds/balance-reservations.ts";
import type { RecoveryCounts } from "./recovery-counts.ts";
import type { ScanAgain } from "./scan-again.ts";

interface MarketRecoveryParts {
  readonly config: Pick<RecoverConfig, "ledgerOnly" | "blocks" | "tries">;
  readonly market: Market;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly tellRecover: TellRecover;
  readonly counts: RecoveryCounts;
  readonly scanAgain: ScanAgain;
}

/** What was lost on one marketplace, being found again. */
export class MarketRecovery implements AsyncDisposable {
  readonly #parts: MarketRecoveryParts;
  readonly #duties: Duties;
  readonly #listening = new DisposableStack();
  readonly #signal: AbortSignal;

  constructor(parts: MarketRecoveryParts, signal: AbortSignal) {
    const { market, ledger, clock, tell, counts } = parts;
    this.#parts = parts;
    this.#signal = signal;
    this.#duties = new Duties({
      settlement: market.settlement,
      ledger,
      tell,
      onSettled: (_guid, payout) => counts.settled(payout),
      reservations: new BalanceReservations(market.balance ?? (async () => nct(0n)), clock),
    });
  }

  /** Joins the marketplace; resolves when what is needed of it is known. */
  async open(): Promise<void> {
    const { market, tellRecover } = this.#parts;
    await market.joined(this.#signal);
    // Nothing is sent for a ledger alone.
    if (!this.#parts.config.ledgerOnly) this.#listening.use(this.#duties.listen());
    const moment = market.condition().moment ?? 0;
    tellRecover("recover.begun", { market: market.id, account: market.account, moment });
  }

  /** Looks through the marketplace's bounties. Never rejects: what went wrong is told and counted. */
  async recover(): Promise<void> {
    const { config, market, clock, counts, scanAgain } = this.#parts;
    if (!config.ledgerOnly) this.#duties.resume();
    const found = (guid: Guid, result: Recovered): void => {
      counts.look(result);
      if (result === "rebuilt" && !config.ledgerOnly) void this.#duties.take(guid, clock.now());
    };
    const ask = { rescan: scanAgain.of(market), tries: config.tries, within: config.blocks, found };
    const whole = (await market.lost?.search(ask, this.#signal)) ?? true;
    if (!whole) counts.cutShort();
  }

  /** Resolves when nothing is left to reveal or to settle, or when we are asked to stop. */
  settle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.#duties.open() === 0 || this.#signal.aborted) resolve();
    };
    const off = this.#parts.market.on("moved", look);
    this.#signal.addEventListener("abort", look, { once: true });
    look();
    return promise.finally(() => {
      off();
      this.#signal.removeEventListener("abort", look);
    });
  }

  /** Begins nothing more and finishes what is on its way. */
  stop(): Promise<void> {
    return this.#duties.stop();
  }

  /** Bounties that still need a reveal or a settlement. */
  owed(): number {
    const { ledger, market } = this.#parts;
    return ledger.inStates(market.id, PROMISED_STATES).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // After a stop that took too long a step may still be under way: nothing more is begun.
    void this.#duties.stop();
    await this.#parts.market[Symbol.asyncDispose]();
    this.#listening.dispose();
  }
}
