/**
 * Two engines that learn nothing and use no record. Both take a silence to which the operator gave a worth for a defence.
 * A suspicion is no vote. Without votes they know nothing, and votes that claim no more than even odds make no verdict.
 */
import { highest } from "../domain/extremes.ts";
import { confidenceIn, noOpinion, type Opinion } from "../domain/opinion.ts";
import { edgeOf, PPM_ONE, ppm, ratioOf, type Verdict } from "../domain/verdict.ts";
import type { DistillEngine, Knowledge, Testimony } from "./contract.ts";
import { agreedFamily } from "./family.ts";
import { missingFrom, summarizeTestimony } from "./summary.ts";
import { wilson } from "./wilson.ts";

interface Vote {
  readonly verdict: "malicious" | "benign";
  /** 0 at even odds and below, 1 at certainty. */
  readonly edge: number;
}

/** One backend that says malicious is enough, and its confidence is ours; benign is as sure as the surest who says so. */
export const any: DistillEngine = {
  name: "any",
  distill(testimony, knowledge) {
    const votes = votesIn(testimony, knowledge);
    const accusers = votes.filter(({ verdict }) => verdict === "malicious");
    const heard = accusers.length > 0 ? accusers : votes;
    const [first] = heard;
    if (first === undefined) return noOpinion(summarizeTestimony(testimony));
    return opinion(first.verdict, highest(heard.map(({ edge }) => edge)), heard.length, testimony);
  },
};

/** One backend, one vote; as sure as the majority is on average, less by the share of those who disagree. */
export const majority: DistillEngine = {
  name: "majority",
  distill(testimony, knowledge) {
    const votes = votesIn(testimony, knowledge);
    if (votes.length === 0) return noOpinion(summarizeTestimony(testimony));
    const accusers = votes.filter(({ verdict }) => verdict === "malicious");
    const defenders = votes.filter(({ verdict }) => verdict === "benign");
    if (accusers.length === defenders.length) return opinion("suspicious", 0, votes.length, testimony);
    const winners = accusers.length > defenders.length ? accusers : defenders;
    const lead = (2 * winners.length - votes.length) / votes.length;
    const edge = winners.reduce((sum, vote) => sum + vote.edge, 0) / winners.length;
    return opinion(winners[0]!.verdict, lead * edge, votes.length, testimony);
  },
};

/** Sorted, so that sums do not depend on the order of the answers. */
function votesIn({ answers }: Testimony, { silence }: Pick<Knowledge, "silence">): readonly Vote[] {
  return answers
    .flatMap(({ backend, verdict, confidence, reason }): Vote[] => {
      if (verdict === "malicious" || verdict === "benign")
        return [{ verdict, edge: ratioOf(edgeOf(ppm(confidence))) }];
      const worth = reason === "no-match" ? silence.get(backend) : undefined;
      return worth === undefined ? [] : [{ verdict: "benign", edge: ratioOf(edgeOf(worth)) }];
    })
    .sort((a, b) => a.edge - b.edge);
}

function opinion(
  winner: Exclude<Verdict, "unknown">,
  edge: number,
  votes: number,
  testimony: Testimony,
): Opinion {
  const lean = winner === "malicious" ? edge : winner === "benign" ? -edge : 0;
  const probability = ppm((1 + lean) / 2);
  // Who claims no more than even odds tosses a coin, and nothing is to be won by staking on that.
  const verdict = probability === PPM_ONE / 2 ? "suspicious" : winner;
  const heard = votes / (votes + missingFrom(testimony));
  return {
    verdict,
    confidence: confidenceIn(verdict, probability),
    probability,
    interval: wilson(probability / PPM_ONE, votes * heard),
    family: agreedFamily(testimony.answers, verdict),
    reason: summarizeTestimony(testimony),
  };
}
