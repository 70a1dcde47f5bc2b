import { heldAgainstAtRisk, type Limits, walletOf } from "../../bid/limits.ts";
import type { MarketId } from "../../domain/bounty.ts";
import type { Nct } from "../../domain/nct.ts";
import { type StakeLimit, stakeLimitIn } from "../../domain/stake-limit.ts";
import { nctNumber } from "../../observe/metrics.ts";
import type { ProducerMetrics } from "../../observe/producer-metrics.ts";
import type { Limiter } from "./limiter.ts";

/** What is left to promise and what an assertion costs, on one market. */
export interface MarketMoney {
  readonly market: MarketId;
  readonly available: Nct | undefined;
  readonly fee: Nct;
}

/**
 * Shows each limit and what it is held against; a limit that is not set has no series. Of several chains the smallest
 * balance, the highest fee, the smallest share of a wallet and the share with the least left are shown: those are the first
 * to bind.
 */
export function showLimits(
  metrics: Pick<ProducerMetrics, "limitNct" | "limitUsedNct" | "assertingPaused">,
  limits: Limits,
  limiter: Pick<Limiter, "uses" | "paused" | "atRiskOn">,
  chains: readonly MarketMoney[],
): void {
  const { stakedLastHour, atRisk, lost } = limiter.uses();
  const available = ascending(chains.flatMap((market) => market.available ?? [])).at(0);
  const wallets = chains.flatMap(({ market, available: balance }) => {
    const atRiskHere = limiter.atRiskOn(market);
    return balance === undefined ? [] : [{ atRisk, atRiskHere, wallet: walletOf({ balance, atRiskHere }) }];
  });
  const heldAtRisk = limits.atRisk === undefined ? undefined : held(limits.atRisk, wallets, atRisk);
  const set: Readonly<Record<string, Nct | undefined>> = {
    bid: limits.bid,
    "stake-per-bounty": smallest(limits.stakePerBounty, wallets),
    "stake-per-hour": limits.stakePerHour,
    "at-risk": heldAtRisk?.limit,
    "min-balance": limits.minBalance,
    fee: limits.fee,
    "stop-loss": limits.stopLoss,
  };
  const used: Readonly<Record<string, Nct | undefined>> = {
    "stake-per-hour": stakedLastHour,
    "at-risk": heldAtRisk?.used ?? atRisk,
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

interface Wallet {
  readonly atRisk: Nct;
  readonly atRiskHere: Nct;
  readonly wallet: Nct;
}

/** A limit at risk, and what is held against it. */
interface Held {
  readonly limit: Nct;
  readonly used: Nct;
}

/** Of the market on which the least is left; undefined where a share is of a balance that is not known. */
function held(limit: StakeLimit, wallets: readonly Wallet[], atRisk: Nct): Held | undefined {
  if (typeof limit === "bigint") return { limit, used: atRisk };
  return wallets
    .map((market) => ({ limit: stakeLimitIn(limit, market.wallet), used: heldAgainstAtRisk(limit, market) }))
    .toSorted((a, b) => (a.limit - a.used < b.limit - b.used ? -1 : 1))
    .at(0);
}

/** On the market on which it is the smallest; undefined where it is a share of a balance that is not known. */
function smallest(limit: StakeLimit | undefined, wallets: readonly Wallet[]): Nct | undefined {
  if (limit === undefined || typeof limit === "bigint") return limit;
  return ascending(wallets.map(({ wallet }) => stakeLimitIn(limit, wallet))).at(0);
}

const ascending = (amounts: readonly Nct[]): readonly Nct[] => amounts.toSorted((a, b) => (a < b ? -1 : 1));
