import {
  allowance,
  type Limits,
  lost,
  type MoneyFacts,
  type StakeAllowance,
  stopLossHolds,
} from "../../bid/limits.ts";
import type { ProducerConfig } from "../../config/commands/producer.ts";
import type { MarketId } from "../../domain/bounty.ts";
import { formatNct, type Nct, nct } from "../../domain/nct.ts";
import { describeStakeLimit, type StakeLimit } from "../../domain/stake-limit.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { ProducerEvents, Tell } from "../events/events.ts";
import type { RollingWindow } from "./rolling-window.ts";

const HOUR_MS = 3_600_000;
/** Adding up a day of settlements may take some milliseconds, and every bounty asks. */
const LOOK_EVERY_MS = 1_000;

/** The limits an operator has set. */
export const limitsOf = (config: ProducerConfig): Limits => ({
  bid: config.maxBid,
  stakePerBounty: config.maxStakePerBounty,
  stakePerHour: config.maxStakePerHour,
  atRisk: config.maxAtRisk,
  minBalance: config.minBalance,
  fee: config.maxFee,
  stopLoss: config.stopLoss,
});

/** For people, at the start: what can be staked at most, whatever a strategy asks for. */
export function describeLimits(limits: Limits): ProducerEvents["producer.limits"] {
  const { bid, stakePerBounty, atRisk, stakePerHour, minBalance, fee, stopLoss } = limits;
  const said = (limit: StakeLimit | undefined) => (limit === undefined ? "none" : describeStakeLimit(limit));
  return {
    perArtifact: said(bid),
    perBounty: said(stakePerBounty),
    perHour: said(stakePerHour),
    atRisk: said(atRisk),
    leftInWallet: said(minBalance),
    fee: said(fee),
    stopLoss: said(stopLoss),
  };
}

export interface LimiterParts {
  readonly limits: Limits;
  readonly stopLossWindowHours: number;
  readonly ledger: Pick<Ledger, "committed" | "stakedSince" | "profitSince">;
  readonly rollingWindow: RollingWindow;
  /** As `RollingWindow` has it. */
  readonly steadyMs: () => number;
  readonly tell: Tell;
  /** Whether the wallet's lease is ours: without it nothing new is promised. Default: always. */
  readonly leased?: () => boolean;
}

/**
 * Holds the operator's limits against the ledger, for all chains together; only a share of the wallet is a share of one
 * chain's balance and stakes, because each chain has a balance of its own. What the ledger has
 * as planned counts at once, so bounties planned one after the other never break a limit together, and a restart
 * forgets nothing.
 *
 *     open ──(losses over the window reach the stop-loss)──► paused ──(the window moved on)──► open
 *
 * Each of the two is told once. Paused means that nothing new is asserted; promises are kept all the same.
 */
export class Limiter {
  readonly #parts: LimiterParts;
  #paused = false;
  #profit = nct(0n);
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: LimiterParts) {
    this.#parts = parts;
  }

  /** Why no bounty is taken up now; as of a second ago at most. */
  paused(): "stop-loss" | "lease-lost" | undefined {
    this.#look();
    if (this.#parts.leased?.() === false) return "lease-lost";
    return this.#paused ? "stop-loss" : undefined;
  }

  /** What may be staked on one bounty of a market. Reserve before this is asked again: nothing may be awaited in between. */
  allow(market: MarketId, facts: Pick<MoneyFacts, "balance" | "fee" | "bidMinimum">): StakeAllowance {
    this.#look();
    return allowance(this.#parts.limits, {
      ...facts,
      stakedLastHour: this.#stakedLastHour(),
      atRisk: this.#parts.ledger.committed(),
      atRiskHere: this.#parts.ledger.committed(market),
      profit: this.#profit,
    });
  }

  /** What the limits are held against, as far as the ledger knows it. */
  uses(): { readonly stakedLastHour: Nct; readonly atRisk: Nct; readonly lost: Nct } {
    return {
      stakedLastHour: this.#stakedLastHour(),
      atRisk: this.#parts.ledger.committed(),
      lost: lost(this.#profitOverWindow()),
    };
  }

  /** What is promised on one market and not settled. */
  atRiskOn(market: MarketId): Nct {
    return this.#parts.ledger.committed(market);
  }

  #stakedLastHour(): Nct {
    return this.#parts.ledger.stakedSince(this.#parts.rollingWindow.since(HOUR_MS));
  }

  #profitOverWindow(): Nct {
    const { ledger, rollingWindow, stopLossWindowHours } = this.#parts;
    return ledger.profitSince(rollingWindow.since(stopLossWindowHours * HOUR_MS));
  }

  #look(): void {
    const { limits, stopLossWindowHours: windowHours, rollingWindow, tell, steadyMs } = this.#parts;
    rollingWindow.look();
    if (limits.stopLoss === undefined || steadyMs() - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = steadyMs();
    this.#profit = this.#profitOverWindow();
    const holds = stopLossHolds(limits, this.#profit);
    if (holds === this.#paused) return;
    this.#paused = holds;
    tell(holds ? "stop-loss.tripped" : "stop-loss.released", {
      lost: formatNct(lost(this.#profit)),
      limit: formatNct(limits.stopLoss),
      windowHours,
    });
  }
}
