/**
 * What settled bounties taught about the backends: counts, and two things computed from them (who errs together, and how
 * a probability has to be corrected). A value: it is rebuilt from history, never changed.
 */
import { type Calibration, UNCALIBRATED } from "./calibration.ts";
import { type Camps, NO_CAMPS } from "./camps.ts";
import type { Precedent } from "./precedent.ts";
import type { Saying } from "./statement.ts";
import type { TypeClass } from "./type-class.ts";

/** How many artifacts, the benign first: an index 0 or 1 is the truth. */
export type Count = readonly [benign: number, malicious: number];

/** How often a backend said what. */
export interface StatementCounts {
  /** Artifacts of which it said something. */
  readonly heard: Count;
  readonly said: ReadonlyMap<Saying, Count>;
}

/** The record of one backend. */
interface Track {
  readonly overall: StatementCounts;
  readonly byClass: ReadonlyMap<TypeClass, StatementCounts>;
}

export interface Reliability {
  /** Settled artifacts of which at least one backend said something. */
  readonly settled: Count;
  readonly settledByClass: ReadonlyMap<TypeClass, Count>;
  readonly backends: ReadonlyMap<string, Track>;
  readonly camps: Camps;
  readonly calibration: Calibration;
}

/** The state of an engine that has seen nothing settled. */
export const NOTHING_LEARNED: Reliability = {
  settled: [0, 0],
  settledByClass: new Map(),
  backends: new Map(),
  camps: NO_CAMPS,
  calibration: UNCALIBRATED,
};

type Mutable = [number, number];
interface Counting {
  readonly heard: Mutable;
  readonly said: Map<Saying, Mutable>;
}

/** Counts, without the calibration, which is fitted on top of them. */
export function countPrecedents(precedents: readonly Precedent[], camps: Camps): Reliability {
  const settled: Mutable = [0, 0];
  const settledByClass = new Map<TypeClass, Mutable>();
  const backends = new Map<string, { overall: Counting; byClass: Map<TypeClass, Counting> }>();
  for (const { truth, typeClass, statements } of precedents) {
    settled[truth]++;
    at(settledByClass, typeClass, zero)[truth]++;
    for (const { backend, saying } of statements) {
      const track = at(backends, backend, () => ({ overall: counting(), byClass: new Map() }));
      for (const tally of [track.overall, at(track.byClass, typeClass, counting)]) {
        tally.heard[truth]++;
        at(tally.said, saying, zero)[truth]++;
      }
    }
  }
  return {
    settled,
    settledByClass,
    backends,
    camps,
    calibration: UNCALIBRATED,
  };
}

const zero = (): Mutable => [0, 0];
const counting = (): Counting => ({ heard: zero(), said: new Map() });

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
