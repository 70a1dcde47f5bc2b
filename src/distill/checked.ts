/**
 * Between an operator's module and the bounties in work: turns what it answers into an opinion, or into the opinion that nothing is
 * known and why. Whatever a module does, nothing is thrown; it costs that artifact, never the process.
 */
import { describeError } from "../domain/fault.ts";
import { confidenceIn, noOpinion, type Opinion } from "../domain/opinion.ts";
import { ppm, VERDICTS } from "../domain/verdict.ts";
import type { DistillEngine, DistillModule, Judgement, Testimony } from "./contract.ts";
import { agreedFamily } from "./family.ts";
import { summarizeTestimony } from "./summary.ts";

/** The engine that a module describes, held to its contract. */
export const checkedEngine = (module: DistillModule): DistillEngine => ({
  name: module.name,
  distill(testimony, knowledge) {
    let answer: unknown;
    try {
      answer = module.judge(testimony, knowledge);
    } catch (error) {
      return noOpinion(`distillation engine ${module.name} failed: ${describeError(error)}`);
    }
    const wrong = faultIn(answer);
    if (wrong === undefined) return opinionOf(answer as Judgement, testimony);
    // Nothing waits for this promise. Its failure would be unhandled, and end the process.
    if (answer instanceof Promise) answer.catch(() => undefined);
    return noOpinion(`distillation engine ${module.name} answered no judgement: ${wrong}`);
  },
});

function opinionOf(judgement: Judgement, testimony: Testimony): Opinion {
  const { verdict, interval = [0, 1], family, reason } = judgement;
  const probability = ppm(judgement.probability);
  return {
    verdict,
    confidence: confidenceIn(verdict, probability),
    probability,
    interval: [ppm(interval[0]), ppm(interval[1])],
    family: family ?? agreedFamily(testimony.answers, verdict),
    reason: reason ?? summarizeTestimony(testimony),
  };
}

/** What keeps an answer from being a judgement, or undefined. Properties may be anything, getters that throw too. */
function faultIn(answer: unknown): string | undefined {
  try {
    if (typeof answer !== "object" || answer === null)
      return `it is ${answer === null ? "null" : typeof answer}`;
    if (answer instanceof Promise) return "it is a promise, and there is no time to wait for it";
    const { verdict, probability, interval, family, reason } = answer as Record<keyof Judgement, unknown>;
    if (!VERDICTS.some((known) => known === verdict)) return `there is no verdict ${JSON.stringify(verdict)}`;
    if (!isRatio(probability)) return "probability is no number from 0 to 1";
    if (verdict === "malicious" && probability <= 0.5) return "malicious, but not likelier than not";
    if (verdict === "benign" && probability >= 0.5) return "benign, but likelier malicious than not";
    if (interval !== undefined && !isAround(interval, probability))
      return "interval is no pair of ratios around probability";
    if (![family, reason].every((text) => text === undefined || typeof text === "string"))
      return "family and reason are texts";
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

const isRatio = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= 1;

function isAround(interval: unknown, probability: number): boolean {
  if (!Array.isArray(interval) || interval.length !== 2) return false;
  const [low, high]: readonly unknown[] = interval;
  return isRatio(low) && isRatio(high) && low <= probability && probability <= high;
}
