import type { BidArtifact, BidRequest, BidStrategy } from "../../bid/contract.ts";
import type { StakeAllowance } from "../../bid/limits.ts";
import { type AbstainReason, planBids } from "../../bid/plan.ts";
import { NO_CLAIM } from "../../domain/artifact.ts";
import { hasBit } from "../../domain/bits.ts";
import type { Bounty, MarketParameters } from "../../domain/bounty.ts";
import type { Instant } from "../../domain/chain.ts";
import type { Guid } from "../../domain/guid.ts";
import type { AbandonReason } from "../../domain/lifecycle.ts";
import { type Nct, nct } from "../../domain/nct.ts";
import type { PlannedAssertion } from "../../ledger/records.ts";
import type { AssertionNotice } from "../../market/onchain/port/marketplace.ts";
import { type Modifier, modifyConfidence } from "../../triage/filters/modifier.ts";
import type { ArtifactInWork } from "./artifact-in-work.ts";
import { buildMetadata } from "../../market/metadata-document.ts";

interface PlanFacts {
  readonly bounty: Bounty;
  readonly items: readonly ArtifactInWork[];
  readonly parameters: MarketParameters;
  readonly rivals: readonly AssertionNotice[];
  /** What the operator's limits leave for this bounty. */
  readonly allowance: StakeAllowance;
  readonly atRisk: Nct;
  readonly strategy: BidStrategy;
  /** What the operator makes of our confidence, by what the bounty says of an artifact. */
  readonly modifiers?: readonly Modifier[];
  readonly seal: (guid: Guid, verdicts: bigint) => { readonly nonce: bigint; readonly commitment: bigint };
  readonly now: Instant;
  readonly version: string;
}

type AssertionPlan =
  | { readonly kind: "assert"; readonly assertion: PlannedAssertion }
  | { readonly kind: "abandon"; readonly why: AbandonReason; readonly detail: string };

/** From opinions to an assertion that can be written down and posted, or the reason why there is none. */
export function planAssertion(facts: PlanFacts): AssertionPlan {
  const { allowance } = facts;
  const artifacts = facts.items.flatMap((item) => speakable(facts, item));
  if (artifacts.length === 0) {
    return { kind: "abandon", why: "no-opinion", detail: facts.items.map(explain).join("; ") };
  }
  if (allowance.kind === "nothing") return { kind: "abandon", why: allowance.why, detail: allowance.detail };
  const plan = planBids(bidRequest(facts, artifacts, allowance), facts.strategy);
  if (plan.kind === "abstain") return { kind: "abandon", why: reasonOf(plan.why), detail: plan.detail };
  const { nonce, commitment } = facts.seal(facts.bounty.guid, plan.verdicts);
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
      fee: facts.parameters.assertionFee,
      metadata: buildMetadata(spoken(facts, plan.mask), { microengine: facts.version }),
      plannedAt: facts.now,
    },
  };
}

/**
 * `most` may be staked in all: so no bid can be higher, and what may be spent is that and the fee. The market's maximum can
 * lower a bid and never raise it: it is a gateway's word.
 */
function bidRequest(
  { bounty, parameters, rivals, atRisk }: PlanFacts,
  artifacts: readonly BidArtifact[],
  { most, mostPerArtifact = most }: Extract<StakeAllowance, { kind: "stake" }>,
): BidRequest {
  const { bidMinimum, bidMaximum, assertionFee } = parameters;
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
    rivals: rivals.map(({ mask, bids }) => ({ mask, bids })),
    balance: nct(most + assertionFee),
    atRisk,
  };
}

/** Only malicious and benign can be asserted. */
function speakable({ bounty, modifiers = [] }: PlanFacts, { index, opinion }: ArtifactInWork): BidArtifact[] {
  if (opinion === null || (opinion.verdict !== "malicious" && opinion.verdict !== "benign")) return [];
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
