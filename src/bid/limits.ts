/**
 * What may be staked on a bounty now: the operator's limits against what is known of his money. Pure. A plan must be
 * written down before the next one is asked for: what was planned is what counts, long before it is mined.
 *
 * Limits on stakes count stakes alone. The balance to be kept counts everything that leaves the wallet, the fee too. The
 * stop-loss counts what was settled: payouts less stakes and fees. It stands before everything else, and holds until
 * enough of the losses have left the window.
 */
import { formatNct, type Nct, nct } from "../domain/nct.ts";
import { type StakeLimit, stakeLimitIn } from "../domain/stake-limit.ts";

/** Amounts in base units; a limit that is absent does not bind. */
export interface Limits {
  readonly stakePerBounty?: StakeLimit | undefined;
  /** On one artifact, whatever the market allows. */
  readonly bid?: Nct | undefined;
  readonly stakePerHour?: Nct | undefined;
  readonly atRisk?: StakeLimit | undefined;
  /** Left in the wallet, after fee and stakes. */
  readonly minBalance: Nct;
  /** The highest fee of an assertion that is paid. */
  readonly fee: Nct;
  /** Lost over the window, and asserting pauses. */
  readonly stopLoss?: Nct | undefined;
}

/** Stable names: metrics carry them. */
type LimitName = "bid" | "stake-per-bounty" | "stake-per-hour" | "at-risk" | "min-balance" | "fee";

export interface MoneyFacts {
  /** In the wallet of this chain, less everything promised that the balance does not show yet. */
  readonly balance: Nct;
  /** Stakes planned within the last hour, whatever became of them, unless nothing was posted after all. */
  readonly stakedLastHour: Nct;
  /** Stakes planned, posted, or on the market and not settled, on all chains. */
  readonly atRisk: Nct;
  /** Those of them on this chain, which are the ones that its balance paid for. */
  readonly atRiskHere: Nct;
  /** Of what was settled within the window of the stop-loss: negative when more was lost than won. */
  readonly profit: bigint;
  /** Of one assertion, as the market charges it now. */
  readonly fee: Nct;
  /** The least that can be staked. */
  readonly bidMinimum: Nct;
}

/** How much may be staked on one bounty, or why nothing may. */
export type StakeAllowance =
  | {
      readonly kind: "stake";
      readonly most: Nct;
      readonly bound: LimitName | "balance";
      /** On one artifact; absent where the market's own maximum is the only one. */
      readonly mostPerArtifact?: Nct;
    }
  | {
      readonly kind: "nothing";
      readonly why: "stop-loss" | "over-limit" | "thin-purse";
      /** A sentence for people: the limit, its value, where it is set. */
      readonly detail: string;
    };

export function allowance(limits: Limits, facts: MoneyFacts): StakeAllowance {
  if (stopLossHolds(limits, facts.profit)) {
    return nothing("stop-loss", `${formatNct(lost(facts.profit))} NCT were lost over the window`);
  }
  if (facts.fee > limits.fee) {
    return nothing(
      "over-limit",
      `an assertion costs ${formatNct(facts.fee)} NCT; ${said("fee", limits.fee)}`,
    );
  }
  if (limits.bid !== undefined && limits.bid < facts.bidMinimum) {
    const least = `the smallest bid is ${formatNct(facts.bidMinimum)} NCT`;
    return nothing("over-limit", `${least}; ${said("bid", limits.bid)}`);
  }
  const tightest = headrooms(limits, facts).reduce((least, next) => (next.left < least.left ? next : least));
  if (tightest.left >= facts.bidMinimum && tightest.left >= 0n) {
    const perArtifact = limits.bid === undefined ? {} : { mostPerArtifact: limits.bid };
    return { kind: "stake", most: nct(tightest.left), bound: tightest.name, ...perArtifact };
  }
  if (tightest.name === "balance") {
    const { balance, fee, bidMinimum } = facts;
    const needed = formatNct(fee + bidMinimum);
    return nothing(
      "thin-purse",
      `${formatNct(balance)} NCT are free; fee and smallest bid take ${needed} NCT`,
    );
  }
  const room = formatNct(tightest.left > 0n ? tightest.left : 0n);
  return nothing("over-limit", `${room} NCT may be staked now; ${said(tightest.name, tightest.limit)}`);
}

/** NCT lost, 0 when something was won. */
export const lost = (profit: bigint): Nct => nct(profit < 0n ? -profit : 0n);

/** Without a loss a stop-loss never holds, not even one of 0: that one holds from the first loss on. */
export const stopLossHolds = ({ stopLoss }: Pick<Limits, "stopLoss">, profit: bigint): boolean =>
  stopLoss !== undefined && profit < 0n && lost(profit) >= stopLoss;

interface Headroom {
  readonly name: LimitName | "balance";
  readonly limit: Nct;
  /** What may still be staked; negative when the limit is broken already, because it was lowered or a fee rose. */
  readonly left: bigint;
}

/** The balance comes first: what the wallet does not hold is not a matter of limits. */
function headrooms(limits: Limits, facts: MoneyFacts): readonly [Headroom, ...Headroom[]] {
  const { balance, fee, stakedLastHour } = facts;
  const wallet = walletOf(facts);
  const inNct = (limit: StakeLimit | undefined) =>
    limit === undefined ? limit : stakeLimitIn(limit, wallet);
  return [
    { name: "balance", limit: balance, left: balance - fee },
    { name: "min-balance", limit: limits.minBalance, left: balance - fee - limits.minBalance },
    ...headroom("stake-per-bounty", inNct(limits.stakePerBounty), 0n),
    ...headroom("stake-per-hour", limits.stakePerHour, stakedLastHour),
    ...headroom("at-risk", inNct(limits.atRisk), heldAgainstAtRisk(limits.atRisk, facts)),
  ];
}

/** What is in the wallet of one chain, and what is staked there and may come back. */
export const walletOf = ({ balance, atRiskHere }: Pick<MoneyFacts, "balance" | "atRiskHere">): Nct =>
  nct(balance + atRiskHere);

/** What the limit at risk is held against: a share of one chain's wallet what is staked there, an amount all that is staked. */
export const heldAgainstAtRisk = (
  limit: StakeLimit | undefined,
  { atRisk, atRiskHere }: Pick<MoneyFacts, "atRisk" | "atRiskHere">,
): Nct => (typeof limit === "object" ? atRiskHere : atRisk);

const headroom = (name: LimitName, limit: Nct | undefined, used: bigint): readonly Headroom[] =>
  limit === undefined ? [] : [{ name, limit, left: limit - used }];

/** What each limit says, and where the operator sets it. */
const SAYING: Readonly<Record<LimitName, readonly [words: string, flag: string, variable: string]>> = {
  bid: ["at most % NCT on one artifact", "max-bid", "MAX_BID"],
  "stake-per-bounty": ["at most % NCT a bounty", "max-stake-per-bounty", "MAX_STAKE_PER_BOUNTY"],
  "stake-per-hour": ["at most % NCT within any hour", "max-stake-per-hour", "MAX_STAKE_PER_HOUR"],
  "at-risk": ["at most % NCT at risk", "max-at-risk", "MAX_AT_RISK"],
  "min-balance": ["% NCT stay in the wallet", "min-balance", "MIN_BALANCE"],
  fee: ["at most % NCT are paid for it", "max-fee", "MAX_FEE"],
};

function said(name: LimitName, limit: Nct): string {
  const [words, flag, variable] = SAYING[name];
  return `${words.replace("%", formatNct(limit))}: --${flag} (variable ${variable})`;
}

const nothing = (why: "stop-loss" | "over-limit" | "thin-purse", detail: string): StakeAllowance => ({
  kind: "nothing",
  why,
  detail,
});
