/**
 * The engine `lean`: every backend is taken at its word, whatever became of its words before. It learns nothing, and what
 * it will say of an artifact can be told by heart; the formula is this.
 *
 * 1. Every answer is an accusation, a defence or neither, with a weight in 0..1:
 *    malicious accuses by its edge, which is how far its confidence is above even odds (0.8 has the edge 0.6); benign
 *    defends by it; a backend that looked and found nothing defends by the edge of what the operator set for it
 *    (`silence`), if anything; suspicious accuses by a tenth of its confidence; the rest is neither.
 * 2. Accusations strengthen each other as independent witnesses do, and so do defences:
 *        accused = 1 - (1 - a1)(1 - a2)...        defended = 1 - (1 - d1)(1 - d2)...
 * 3. lean = accused - defended, in -1..1; P(malicious) = (1 + lean) / 2, and confidence the chance of the likelier side.
 *    One witness alone gives exactly its own confidence, witnesses that agree more, witnesses that disagree less.
 * 4. |lean| up to a tenth is too close to even odds to stake on: `suspicious`. No witness at all: `unknown`.
 * 5. The interval is Wilson's score interval (z = 1) around P(malicious) for n effective opinions: n is the sum of the
 *    witnesses' weights times the share of backends that were heard among those that should have been. A backend that
 *    gave no answer in time, or failed, should have been heard; one that does not take such artifacts should not.
 *
 * Weights are parts per million and products are exact, so the order of the answers makes no difference at all.
 */
import { confidenceIn, noOpinion, type Opinion } from "../domain/opinion.ts";
import type { ScanAnswer } from "../domain/scan.ts";
import { edgeOf, PPM_ONE, type Ppm, ppm, ratioOf, type Verdict } from "../domain/verdict.ts";
import type { DistillEngine, Knowledge, Testimony } from "./contract.ts";
import { missingFrom, summarizeTestimony } from "./summary.ts";
import { wilson } from "./wilson.ts";

type LeanRules = Pick<Knowledge, "silence">;

/** Even odds reach this far: 45 to 55 percent. */
const SUSPICION_PPM = 100_000;

interface Witness {
  readonly backend: string;
  readonly side: "accuses" | "defends";
  readonly weight: Ppm;
  readonly family: string;
}

export const lean: DistillEngine = {
  name: "lean",
  distill: (testimony, knowledge) => leanOpinion(testimony, knowledge),
};

export function leanOpinion(testimony: Testimony, rules: LeanRules): Opinion {
  const witnesses = testimony.answers.flatMap((answer) => testify(answer, rules));
  const reason = summarizeTestimony(testimony);
  if (witnesses.length === 0) return noOpinion(reason);
  const lean = together(witnesses, "accuses") - together(witnesses, "defends");
  const verdict = verdictOf(lean);
  const probability = Math.round((PPM_ONE + lean) / 2) as Ppm;
  const effective = ratioOf(weightOf(witnesses)) * heardShare(testimony, witnesses);
  return {
    verdict,
    confidence: confidenceIn(verdict, probability),
    probability,
    interval: wilson(ratioOf(probability), effective),
    family: familyOf(witnesses, verdict),
    reason,
  };
}

function testify(answer: ScanAnswer, { silence }: LeanRules): Witness[] {
  const witness = (side: Witness["side"], weight: Ppm) => [
    { backend: answer.backend, side, weight, family: answer.family ?? "" },
  ];
  switch (answer.verdict) {
    case "malicious":
      return witness("accuses", edgeOf(ppm(answer.confidence)));
    case "benign":
      return witness("defends", edgeOf(ppm(answer.confidence)));
    case "suspicious":
      return witness("accuses", ppm((answer.confidence * SUSPICION_PPM) / PPM_ONE));
    case "unknown": {
      const worth = silence.get(answer.backend);
      return answer.reason === "no-match" && worth !== undefined ? witness("defends", edgeOf(worth)) : [];
    }
  }
}

/** 1 - (1 - w1)(1 - w2)..., exact until one rounding at the end. */
function together(witnesses: readonly Witness[], side: Witness["side"]): number {
  const weights = witnesses.filter((witness) => witness.side === side).map(({ weight }) => weight);
  const one = BigInt(PPM_ONE);
  const doubt = weights.reduce((product, weight) => product * (one - BigInt(weight)), one);
  const scale = one ** BigInt(weights.length);
  return PPM_ONE - Number((doubt + scale / 2n) / scale);
}

const weightOf = (witnesses: readonly Witness[]): Ppm =>
  witnesses.reduce((sum, { weight }) => sum + weight, 0) as Ppm;

function verdictOf(lean: number): Verdict {
  if (Math.abs(lean) <= SUSPICION_PPM) return "suspicious";
  return lean > 0 ? "malicious" : "benign";
}

const heardShare = (testimony: Testimony, witnesses: readonly Witness[]): number =>
  witnesses.length / (witnesses.length + missingFrom(testimony));

function familyOf(witnesses: readonly Witness[], verdict: Verdict): string {
  const side = verdict === "benign" ? "defends" : "accuses";
  const [best] = witnesses
    .filter((witness) => witness.side === side && witness.family !== "")
    .sort((a, b) => b.weight - a.weight || compare(a.backend, b.backend) || compare(a.family, b.family));
  return best?.family ?? "";
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
