/**
 * The default engine: backends are believed as far as their record goes. belief.ts has the formula, calibration.ts the
 * last correction, reliability.ts what is learned; docs/distillation.md explains it to people.
 *
 * The probability is what was computed, corrected. A verdict needs two things: a probability outside the band around
 * even odds, and a backend that says so and whose word is worth something. Malicious rests on an accusation, benign on a
 * defence or on a silence to which the operator gave a worth: a base rate, a suspicion, the word of a
 * backend that was never right and silences without a worth make no verdict alone.
 */
import { confidenceIn, noOpinion } from "../domain/opinion.ts";
import { PPM_ONE, type Ppm, ppm, type Verdict } from "../domain/verdict.ts";
import type { DistillEngine } from "./contract.ts";
import { believe, type Conclusion } from "./experience/belief.ts";
import { logistic } from "./experience/calibration.ts";
import { statementsOf } from "./experience/precedent.ts";
import type { Statement } from "./experience/statement.ts";
import { typeClassOf } from "./experience/type-class.ts";
import { agreedFamily } from "./family.ts";
import { typesSeen } from "./knowledge.ts";
import { missingFrom, summarizeTestimony } from "./summary.ts";

/** Even odds reach this far to either side: from 45 to 55 percent nothing is staked. */
const BAND_PPM = 50_000;
/** The interval holds the middle nine tenths of what the probability may be. */
const Z_90 = 1.645;
/** No verdict is surer than 999 in 1,000: the arbiters err, too. */
const SUREST = Math.log(999);

export const bayes: DistillEngine = {
  name: "bayes",
  distill(testimony, { silence, reliability }) {
    const reason = summarizeTestimony(testimony);
    const statements = statementsOf(testimony.answers, silence);
    if (statements.length === 0) return noOpinion(reason);
    const missing = missingFrom(testimony);
    const typeClass = typeClassOf(typesSeen(testimony.answers));
    const { z, variance, grounds } = believe({ typeClass, statements, missing }, reliability);
    const { intercept, slope } = reliability.calibration;
    const told = (logOdds: number): Ppm => {
      const corrected = intercept + slope * logOdds;
      return ppm(logistic(Math.min(SUREST, Math.max(-SUREST, corrected))));
    };
    const reach = Z_90 * Math.sqrt(variance);
    const probability = told(z);
    const verdict = verdictOf(probability, grounds, statements);
    return {
      verdict,
      confidence: confidenceIn(verdict, probability),
      probability,
      interval: [told(z - reach), told(z + reach)],
      family: agreedFamily(testimony.answers, verdict),
      reason,
    };
  },
};

function verdictOf(
  probability: Ppm,
  grounds: Conclusion["grounds"],
  statements: readonly Statement[],
): Verdict {
  const lean = probability - PPM_ONE / 2;
  if (lean > BAND_PPM && grounds.has("accuses")) return "malicious";
  if (lean < -BAND_PPM && grounds.has("defends")) return "benign";
  return statements.some(({ side, carries }) => side === "accuses" || carries) ? "suspicious" : "unknown";
}
