import type { SettledArtifact } from "../domain/settled.ts";
import type { Ppm } from "../domain/verdict.ts";
import { believe } from "./belief.ts";
import { fitCalibration, logistic } from "./calibration.ts";
import { type Precedent, precedentsOf } from "./precedent.ts";
import { countPrecedents, type Reliability } from "./reliability.ts";
import type { Stated } from "./scoring.ts";

/** Some 100 ms for 10,000 artifacts; older ones say little of today's engines. */
export const MOST_PRECEDENTS = 10_000;

/**
 * What history teaches. The calibration is fitted on what would have been thought of each artifact had it not been in
 * the record itself: otherwise the record would look surer than it will be of the next one.
 */
export function learn(history: readonly SettledArtifact[], silence: ReadonlyMap<string, Ppm>): Reliability {
  const precedents = precedentsOf(history, silence);
  const counted = countPrecedents(precedents);
  const outcomes = precedents.map((precedent) => ({
    z: thought(precedent, counted),
    truth: precedent.truth,
  }));
  return { ...counted, calibration: fitCalibration(outcomes) };
}

/** The log odds of a settled artifact, as the rest of the record sees it. */
const thought = ({ truth: own, typeClass, statements }: Precedent, counted: Reliability): number =>
  believe({ typeClass, statements, missing: 0, own }, counted).z;

/** P(malicious) of each artifact that somebody spoke about, as the record of all the others would have it. */
export function hindsight(
  history: readonly SettledArtifact[],
  silence: ReadonlyMap<string, Ppm>,
): readonly Stated[] {
  const reliability = learn(history, silence);
  const { intercept, slope } = reliability.calibration;
  return precedentsOf(history, silence).map((precedent) => ({
    probability: logistic(intercept + slope * thought(precedent, reliability)),
    malicious: precedent.truth === 1,
  }));
}
