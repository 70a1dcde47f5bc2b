/**
 * The last correction: what was computed as z = log odds is told as intercept + slope * z, fitted on what came of settled
 * artifacts (Platt's scaling). docs/decisions/0014 says why this and not isotonic regression.
 */
export interface Calibration {
  readonly intercept: number;
  /** Above 0: a likelier artifact never becomes the less likely one. */
  readonly slope: number;
  /** Settled artifacts it was fitted on; 0 when nothing is corrected. */
  readonly fittedOn: number;
}

export const UNCALIBRATED: Calibration = { intercept: 0, slope: 1, fittedOn: 0 };

/** One settled artifact: the log odds that everything else gave it, and what it was. */
interface Outcome {
  readonly z: number;
  readonly truth: 0 | 1;
}

/** Less history than this, or fewer of either truth, corrects nothing. */
const LEAST = 100;
const LEAST_OF_EACH = 10;
/** Standard deviations of the normal priors around (0, 1): a correction has to be earned. */
const INTERCEPT_SPREAD = 1;
const SLOPE_SPREAD = 0.5;
const [A0, B0] = [1 / INTERCEPT_SPREAD ** 2, 1 / SLOPE_SPREAD ** 2];
const SLOPES: readonly [number, number] = [0.1, 3];
const STEPS = 25;
/** A step is halved at most so often; a shorter one changes no probability visibly. */
const HALVINGS = 30;

/**
 * Newton's method on the penalised log loss, which is convex in both parameters. A step that does not lower the loss is
 * halved: where most artifacts are told with near certainty the loss is so flat that a whole step leaps to where
 * everything is malicious, and stays there.
 */
export function fitCalibration(outcomes: readonly Outcome[]): Calibration {
  const malicious = outcomes.reduce((sum, { truth }) => sum + truth, 0);
  if (outcomes.length < LEAST || Math.min(malicious, outcomes.length - malicious) < LEAST_OF_EACH)
    return UNCALIBRATED;
  let [a, b] = [0, 1];
  let loss = lossOf(outcomes, a, b);
  for (let step = 0; step < STEPS; step++) {
    let [ga, gb, haa, hab, hbb] = [A0 * a, B0 * (b - 1), A0, 0, B0];
    for (const { z, truth } of outcomes) {
      const p = logistic(a + b * z);
      const [error, weight] = [p - truth, p * (1 - p)];
      ga += error;
      gb += error * z;
      haa += weight;
      hab += weight * z;
      hbb += weight * z * z;
    }
    const determinant = haa * hbb - hab ** 2;
    const [da, db] = [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant];
    if (Math.abs(da) + Math.abs(db) < 1e-9) break;
    const better = Array.from({ length: HALVINGS }, (_, halvings) => 0.5 ** halvings)
      .map((part) => [a - part * da, b - part * db] as const)
      .find(([nextA, nextB]) => lossOf(outcomes, nextA, nextB) < loss);
    if (better === undefined) break;
    [a, b] = better;
    loss = lossOf(outcomes, a, b);
  }
  return { intercept: a, slope: Math.min(SLOPES[1], Math.max(SLOPES[0], b)), fittedOn: outcomes.length };
}

/** The negative log of the posterior, up to a constant. */
function lossOf(outcomes: readonly Outcome[], a: number, b: number): number {
  const prior = (A0 * a ** 2 + B0 * (b - 1) ** 2) / 2;
  return outcomes.reduce((sum, { z, truth }) => sum + softplus((truth === 1 ? -1 : 1) * (a + b * z)), prior);
}

/** ln(1 + e^x), also where e^x would be infinite. */
const softplus = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));

export const logistic = (z: number): number => 1 / (1 + Math.exp(-z));
export const logit = (p: number): number => Math.log(p / (1 - p));
