import type { BidArtifact, BidRequest, BidStrategy } from "../../bid/contract.ts";
import type { StakeAllowance } from "../../bid/limits.ts";
import { type AbstainReason, planBids } from "../../bid/plan.ts";
import { NO_CLAIM } from "../../domain/artifact.ts";
import { hasBit } from "../../domain/bits.ts";
import type { Bounty } from "../../domain/bounty.ts";
import type { Instant } from "../../domain/instant.ts";
import type { AbandonReason } from "../../domain/lifecycle.ts";
import { type Nct, nct } from "../../domain/nct.ts";
import type { PlannedAssertion } from "../../ledger/records.ts";
import { buildMetadata } from "../../market/metadata-document.ts";
import type { RivalAnswer, Terms } from "../../market/port.ts";
import type { Sealed } from "../../market/settlement.ts";
import { type Modifier, modifyConfidence } from "../../triage/filters/modifier.ts";
import type { ArtifactInWork } from "./artifact-in-work.ts";

interface PlanFacts {
  readonly bounty: Bounty;
  readonly items: readonly ArtifactInWork[];
  readonly terms: Terms;
  readonly rivals: readonly RivalAnswer[];
  /** What the operator's limits leave for this bounty. */
  readonly allowance: StakeAllowance;
  readonly atRisk: Nct;
  readonly strategy: BidStrategy;
  /** What the operator makes of our confidence, by what the bounty says of an artifact. */
  readonly modifiers?: readonly Modifier[];
  readonly seal: (verdicts: bigint) => Sealed;
  readonly now: Instant;
  readonly version: string;
}

type AssertionPlan =
  | { readonly kind: "assert"; readonly assertion: PlannedAssertion }
  | { readonly kind: "abandon"; readonly why: AbandonReason; readonly detail: string };

/** From opinions to an assertion that can be written down and posted, or the reason why there is none. */
export function planAssertion(facts: PlanFacts): AssertionPlan {
  const artifacts = facts.items.flatMap((item) => speakable(facts, item));
  if (artifacts.length === 0) {
    return { kind: "abandon", why: "no-opinion", detail: facts.items.map(explain).join("; ") };
  }
  const plan = facts.terms.isStaked ? stakedPlan(facts, artifacts) : planWithoutStake(artifacts);
  if (plan.kind === "abandon") return plan;
  const { nonce, commitment } = facts.seal(plan.verdicts);
  return {
    kind: "assert",
    assertion: {
      commitment,
      nonce,
      mask: plan.mask,
      verdicts: plan.verdicts,
      bids: plan.bids,
      confidences: artifacts
        .filter(({ index }) => hasBit(plan.mask, index))
        .map(({ confidence }) => confidence),
      stake: plan.stake,
      fee: facts.terms.fee,
      metadata: buildMetadata(spoken(facts, plan.mask), { microengine: facts.version }),
      plannedAt: facts.now,
    },
  };
}

type Plan =
  | {
      readonly kind: "assert";
      readonly mask: bigint;
      readonly verdicts: bigint;
      readonly bids: readonly Nct[];
      readonly stake: Nct;
    }
  | Extract<AssertionPlan, { kind: "abandon" }>;

/** Within the operator's limits, as the strategy bids. */
function stakedPlan(facts: PlanFacts, artifacts: readonly BidArtifact[]): Plan {
  const { allowance, strategy } = facts;
  if (allowance.kind === "nothing") return { kind: "abandon", why: allowance.why, detail: allowance.detail };
  const plan = planBids(bidRequest(facts, artifacts, allowance), strategy);
  return plan.kind === "abstain" ? { kind: "abandon", why: reasonOf(plan.why), detail: plan.detail } : plan;
}

/** Where an answer carries no stake all is said that can be. */
function planWithoutStake(artifacts: readonly BidArtifact[]): Plan {
  const bitsOf = (some: readonly BidArtifact[]): bigint =>
    some.reduce((bits, { index }) => bits | (1n << BigInt(index)), 0n);
  return {
    kind: "assert",
    mask: bitsOf(artifacts),
    verdicts: bitsOf(artifacts.filter(({ verdict }) => verdict === "malicious")),
    bids: artifacts.map(() => nct(0n)),
    stake: nct(0n),
  };
}

/**
 * `most` may be staked in all: so no bid can be higher, and what may be spent is that and the fee. The market's maximum can
 * lower a bid and never raise it: it is a gateway's word.
 */
function bidRequest(
  { bounty, terms, rivals, atRisk }: PlanFacts,
  artifacts: readonly BidArtifact[],
  { most, mostPerArtifact = most }: Extract<StakeAllowance, { kind: "stake" }>,
): BidRequest {
  const { bidMinimum, bidMaximum, fee: assertionFee } = terms;
  const ceiling = mostPerArtifact < most ? mostPerArtifact : most;
  return {
    guid: bounty.guid,
    market: bounty.market,
    artifacts,
    artifactCount: bounty.artifactCount,
    reward: bounty.amount,
    bidMinimum,
    bidMaximum: bidMaximum < ceiling ? bidMaximum : ceiling,
    assertionFee,
    rivals: rivals.map(({ author, at, mask, bids }) => ({ author, at, mask, bids })),
    balance: nct(most + assertionFee),
    atRisk,
  };
}

/** A stake is on malicious or benign; what else an answer can express carries none. */
function speakable(
  { bounty, terms, modifiers = [] }: PlanFacts,
  { index, opinion }: ArtifactInWork,
): BidArtifact[] {
  if (opinion === null || (opinion.verdict !== "malicious" && opinion.verdict !== "benign")) return [];
  if (!terms.verdicts.includes(opinion.verdict)) return [];
  const { verdict, interval, family } = opinion;
  const confidence = modifyConfidence(opinion.confidence, modifiers, bounty.claims[index] ?? NO_CLAIM);
  return [{ index, verdict, confidence, interval, family }];
}

function spoken({ bounty, items }: PlanFacts, mask: bigint): Parameters<typeof buildMetadata>[0] {
  const byIndex = new Map(items.map((item) => [item.index, item]));
  return Array.from({ length: bounty.artifactCount }, (_, index) => {
    const item = byIndex.get(index);
    if (!hasBit(mask, index) || item === undefined || item.opinion === null) return null;
    return { opinion: item.opinion, answers: item.answers };
  });
}

const explain = ({ index, opinion }: ArtifactInWork): string =>
  `${index}: ${opinion?.reason ?? "not scanned"}`;

const reasonOf = (why: AbstainReason): AbandonReason =>
  why === "balance" ? "thin-purse" : why === "nothing-to-say" ? "no-opinion" : "abstained";
