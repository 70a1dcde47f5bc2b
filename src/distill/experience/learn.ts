import type { SettledArtifact } from "../../domain/settled.ts";
import type { Silence } from "../../domain/silence.ts";
import { believe } from "./belief.ts";
import { fitCalibration, logistic } from "./calibration.ts";
import { findCamps } from "./camps.ts";
import { type Precedent, precedentsOf } from "./precedent.ts";
import { countPrecedents, type Reliability } from "./reliability.ts";
import type { Stated } from "./scoring.ts";

/** Some 150 ms for 10,000 artifacts; older ones say little of today's engines. */
export const MOST_PRECEDENTS = 10_000;

/** Parts of the history; the record of the others is tried on each. */
const FOLDS = 4;

/** What history teaches. */
export const learn = (history: readonly SettledArtifact[], silence: Silence): Reliability =>
  learnFrom(precedentsOf(history, silence));

/**
 * The calibration is fitted on artifacts that are not in the record it corrects: a record looks surer of what it has
 * counted than it will be of the next artifact. Folds, not one artifact at a time: leaving one out draws each
 * probability away from its own truth.
 */
function learnFrom(precedents: readonly Precedent[]): Reliability {
  const camps = findCamps(precedents);
  const outcomes = byOtherFolds(precedents, (others) => {
    const record = countPrecedents(others, camps);
    return (precedent) => ({ z: thought(precedent, record), truth: precedent.truth });
  });
  return { ...countPrecedents(precedents, camps), calibration: fitCalibration(outcomes) };
}

/** P(malicious) of each artifact that a backend answered about, by what the rest of history teaches. */
export const hindsight = (history: readonly SettledArtifact[], silence: Silence): readonly Stated[] =>
  byOtherFolds(precedentsOf(history, silence), (others) => {
    const reliability = learnFrom(others);
    const { intercept, slope } = reliability.calibration;
    return (precedent) => ({
      probability: logistic(intercept + slope * thought(precedent, reliability)),
      malicious: precedent.truth === 1,
    });
  });

/** Spread by the golden ratio: whatever returns at regular places in bounties comes into all folds alike. */
const foldOf = (index: number): number => Math.floor(((index * 0.618_033_988_75) % 1) * FOLDS);

/** In the order of the folds. */
const byOtherFolds = <T>(
  precedents: readonly Precedent[],
  learn: (others: readonly Precedent[]) => (precedent: Precedent) => T,
): readonly T[] =>
  Array.from({ length: FOLDS }, (_, fold) => {
    const inFold = (_precedent: Precedent, index: number) => foldOf(index) === fold;
    const apply = learn(precedents.filter((precedent, index) => !inFold(precedent, index)));
    return precedents.filter(inFold).map(apply);
  }).flat();

const thought = ({ typeClass, statements }: Precedent, record: Reliability): number =>
  believe({ typeClass, statements, missing: 0 }, record).z;
