import { type Limits, walletOf } from "../bid/limits.ts";
import type { Nct } from "../domain/nct.ts";
import { type StakeLimit, stakeLimitIn } from "../domain/stake-limit.ts";
import { nctNumber } from "../observe/metrics.ts";
import type { ProducerMetrics } from "../observe/producer-metrics.ts";
import type { Limiter } from "./limiter.ts";

/** What is left to promise and what an assertion costs, on one chain. */
export interface ChainMoney {
  readonly available: Nct | undefined;
  readonly fee: Nct;
}

/**
 * Shows each limit and what it is held against; a limit that is not set has no series. Of several chains the emptiest
 * purse and the highest fee are shown: those are the first to bind.
 */
export function showLimits(
  metrics: Pick<ProducerMetrics, "limitNct" | "limitUsedNct" | "assertingPaused">,
  limits: Limits,
  limiter: Pick<Limiter, "uses" | "paused">,
  chains: readonly ChainMoney[],
): void {
  const { stakedLastHour, atRisk, lost } = limiter.uses();
  const available = ascending(chains.flatMap((chain) => chain.available ?? [])).at(0);
  const inNct = (limit: StakeLimit | undefined): Nct | undefined => {
    if (limit === undefined || typeof limit === "bigint") return limit;
    return available === undefined
      ? undefined
      : stakeLimitIn(limit, walletOf({ balance: available, atRisk }));
  };
  const set: Readonly<Record<string, Nct | undefined>> = {
    bid: limits.bid,
    "stake-per-bounty": inNct(limits.stakePerBounty),
    "stake-per-hour": limits.stakePerHour,
    "at-risk": inNct(limits.atRisk),
    "min-balance": limits.minBalance,
    fee: limits.fee,
    "stop-loss": limits.stopLoss,
  };
  const used: Readonly<Record<string, Nct | undefined>> = {
    "stake-per-hour": stakedLastHour,
    "at-risk": atRisk,
    "min-balance": available,
    fee: ascending(chains.map(({ fee }) => fee)).at(-1),
    "stop-loss": lost,
  };
  for (const [limit, amount] of Object.entries(set)) {
    if (amount !== undefined) metrics.limitNct.set({ limit }, nctNumber(amount));
  }
  for (const [limit, amount] of Object.entries(used)) {
    if (amount !== undefined) metrics.limitUsedNct.set({ limit }, nctNumber(amount));
  }
  for (const why of ["stop-loss", "lease-lost"] as const)
    metrics.assertingPaused.set({ why }, limiter.paused() === why ? 1 : 0);
}

const ascending = (amounts: readonly Nct[]): readonly Nct[] => amounts.toSorted((a, b) => (a < b ? -1 : 1));
