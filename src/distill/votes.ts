/**
 * Two engines that learn nothing and ask nobody's record. Both take a silence to which the operator gave a worth for a
 * defence, call a suspicion no vote, and know nothing when nobody votes.
 */
import type { Opinion } from "../domain/opinion.ts";
import { PPM_ONE, type Ppm, ppm, type Verdict } from "../domain/verdict.ts";
import type { DistillEngine, Knowledge, Testimony } from "./contract.ts";
import { agreedFamily } from "./family.ts";
import { missingFrom, summarize } from "./summary.ts";
import { wilson } from "./wilson.ts";

interface Vote {
  readonly verdict: "malicious" | "benign";
  readonly sure: number;
}

/** One backend that says malicious is enough, and its confidence is ours; benign is as sure as the surest who says so. */
export const any: DistillEngine = {
  name: "any",
  distill(testimony, knowledge) {
    const votes = votesIn(testimony, knowledge);
    const accusers = votes.filter(({ verdict }) => verdict === "malicious");
    const heard = accusers.length > 0 ? accusers : votes;
    const [first] = heard;
    if (first === undefined) return opinion("unknown", 0, 0, testimony);
    return opinion(first.verdict, Math.max(...heard.map(({ sure }) => sure)), heard.length, testimony);
  },
};

/** One backend, one vote; as sure as the majority is on average, less by the share of those who disagree. */
export const majority: DistillEngine = {
  name: "majority",
  distill(testimony, knowledge) {
    const votes = votesIn(testimony, knowledge);
    if (votes.length === 0) return opinion("unknown", 0, 0, testimony);
    const accusers = votes.filter(({ verdict }) => verdict === "malicious");
    const defenders = votes.filter(({ verdict }) => verdict === "benign");
    if (accusers.length === defenders.length) return opinion("suspicious", 0, votes.length, testimony);
    const winners = accusers.length > defenders.length ? accusers : defenders;
    const lead = (2 * winners.length - votes.length) / votes.length;
    const sure = winners.reduce((sum, vote) => sum + vote.sure, 0) / winners.length;
    return opinion(winners[0]!.verdict, lead * sure, votes.length, testimony);
  },
};

/** Sorted, so that sums do not depend on the order of the answers. */
function votesIn({ answers }: Testimony, { silence }: Pick<Knowledge, "silence">): readonly Vote[] {
  return answers
    .flatMap(({ backend, verdict, confidence, reason }): Vote[] => {
      if (verdict === "malicious" || verdict === "benign")
        return [{ verdict, sure: ppm(confidence) / PPM_ONE }];
      const worth = reason === "no-match" ? silence.get(backend) : undefined;
      return worth === undefined ? [] : [{ verdict: "benign", sure: worth / PPM_ONE }];
    })
    .sort((a, b) => a.sure - b.sure);
}

function opinion(verdict: Verdict, sure: number, votes: number, testimony: Testimony): Opinion {
  const lean = verdict === "malicious" ? sure : verdict === "benign" ? -sure : 0;
  const probability = ppm((1 + lean) / 2);
  const heard = votes === 0 ? 0 : votes / (votes + missingFrom(testimony));
  return {
    verdict,
    confidence: Math.abs(2 * probability - PPM_ONE) as Ppm,
    probability,
    interval: wilson(probability / PPM_ONE, votes * heard),
    family: agreedFamily(testimony.answers, verdict),
    reason: summarize(testimony),
  };
}
