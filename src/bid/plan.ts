/**
 * Between a strategy and the contract: turns what a strategy answers into an assertion that the contract accepts and the
 * wallet can pay, or into a reason for silence. A strategy can be code of the operator's; whatever it does, nothing is
 * thrown and nothing outside the limits leaves here. One bad bid costs that artifact, never the bounty.
 */
import { MAX_ARTIFACTS } from "../domain/artifact.ts";
import { packBits } from "../domain/bits.ts";
import { describeError } from "../domain/fault.ts";
import { type Nct, nct } from "../domain/nct.ts";
import type { BidArtifact, BidRequest, BidStrategy } from "./contract.ts";

/** Why an artifact is left out of an assertion. Stable names: logs and metrics carry them. */
type DropReason =
  | "strategy-silent" // the strategy bid null
  | "not-a-bid" // the strategy answered neither a bigint nor null
  | "below-minimum"
  | "no-such-artifact" // the contract counts fewer artifacts, or the index came twice
  | "balance"; // dropped so that the surer ones can be paid

/** Why nothing is asserted. */
export type AbstainReason =
  | "nothing-to-say"
  | "strategy-failed"
  | "wrong-number-of-bids"
  | "no-bid-left"
  | "balance";

interface DroppedArtifact {
  readonly index: number;
  readonly why: DropReason;
}

type BidPlan =
  | {
      readonly kind: "assert";
      readonly mask: bigint;
      /** One per set bit of `mask`, lowest bit first; each within the contract's limits. */
      readonly bids: readonly Nct[];
      /** Bit i is set when artifact i is asserted malicious; clear outside the mask. */
      readonly verdicts: bigint;
      /** Sum of the bids, without the fee. */
      readonly stake: Nct;
      readonly dropped: readonly DroppedArtifact[];
    }
  | {
      readonly kind: "abstain";
      readonly why: AbstainReason;
      /** A sentence for people. */
      readonly detail: string;
      readonly dropped: readonly DroppedArtifact[];
    };

interface Stake {
  readonly artifact: BidArtifact;
  readonly amount: bigint;
}

export function planBids(request: BidRequest, strategy: BidStrategy): BidPlan {
  if (request.artifacts.length === 0)
    return abstain("nothing-to-say", "No artifact has a verdict to stake on.");
  const asked = ask(request, strategy);
  if ("why" in asked) return abstain(asked.why, asked.detail);

  const dropped: DroppedArtifact[] = [];
  const seen = new Set<number>();
  const stakes = request.artifacts.flatMap((artifact, position): Stake[] => {
    const checked = check(request, artifact, asked.bids[position], seen);
    seen.add(artifact.index);
    if (typeof checked === "bigint") return [{ artifact, amount: checked }];
    dropped.push({ index: artifact.index, why: checked });
    return [];
  });
  if (stakes.length === 0)
    return abstain("no-bid-left", `No bid of ${strategy.name} can be placed.`, dropped);

  const affordable = affordableStakes(stakes, request);
  for (const { artifact } of stakes.filter((stake) => !affordable.includes(stake)))
    dropped.push({ index: artifact.index, why: "balance" });
  if (affordable.length === 0)
    return abstain("balance", "The balance does not cover the fee and the smallest bid.", dropped);
  return assertion(affordable, request.artifactCount, dropped);
}

function ask(
  request: BidRequest,
  strategy: BidStrategy,
): { bids: readonly unknown[] } | { why: AbstainReason; detail: string } {
  let bids: unknown;
  try {
    bids = strategy.bid(request);
  } catch (error) {
    return { why: "strategy-failed", detail: `Strategy ${strategy.name} failed: ${describeError(error)}` };
  }
  if (!Array.isArray(bids))
    return { why: "strategy-failed", detail: `Strategy ${strategy.name} did not return an array.` };
  if (bids.length === request.artifacts.length) return { bids };
  const detail = `Strategy ${strategy.name} returned ${bids.length} bids for ${request.artifacts.length} artifacts.`;
  return { why: "wrong-number-of-bids", detail };
}

/** The amount to stake, at most the maximum, or why there is none. */
function check(
  { artifactCount, bidMinimum, bidMaximum }: BidRequest,
  { index }: BidArtifact,
  bid: unknown,
  seen: ReadonlySet<number>,
): bigint | DropReason {
  // The contract keeps bids on bits beyond the bounty's artifacts and pays nothing for them.
  if (
    !Number.isInteger(index) ||
    index < 0 ||
    index >= Math.min(artifactCount, MAX_ARTIFACTS) ||
    seen.has(index)
  )
    return "no-such-artifact";
  if (bid === null) return "strategy-silent";
  if (typeof bid !== "bigint") return "not-a-bid";
  const amount = bid < bidMaximum ? bid : bidMaximum;
  return amount < bidMinimum || amount < 0n ? "below-minimum" : amount;
}

/** Drops the least confident, of those the later ones, until the fee and all bids can be paid. */
function affordableStakes(stakes: readonly Stake[], { balance, assertionFee }: BidRequest): readonly Stake[] {
  const surestFirst = stakes.toSorted(
    (a, b) => b.artifact.confidence - a.artifact.confidence || a.artifact.index - b.artifact.index,
  );
  while (surestFirst.length > 0 && total(surestFirst) + assertionFee > balance) surestFirst.pop();
  return surestFirst;
}

function assertion(
  stakes: readonly Stake[],
  artifactCount: number,
  dropped: readonly DroppedArtifact[],
): BidPlan {
  const byIndex = new Map(stakes.map((stake) => [stake.artifact.index, stake]));
  const slots = Array.from({ length: Math.min(artifactCount, MAX_ARTIFACTS) }, (_, index) =>
    byIndex.get(index),
  );
  return {
    kind: "assert",
    mask: packBits(slots.map((stake) => stake !== undefined)),
    bids: slots.flatMap((stake) => (stake === undefined ? [] : [nct(stake.amount)])),
    verdicts: packBits(slots.map((stake) => stake?.artifact.verdict === "malicious")),
    stake: nct(total(stakes)),
    dropped,
  };
}

const total = (stakes: readonly Stake[]): bigint => stakes.reduce((sum, { amount }) => sum + amount, 0n);

const abstain = (why: AbstainReason, detail: string, dropped: readonly DroppedArtifact[] = []): BidPlan => ({
  kind: "abstain",
  why,
  detail,
  dropped,
});
