/**
 * How likely an artifact is malicious, given what was said of it and what the record says of those who said it.
 *
 *     z = log odds(base rate) + accusations - defences
 *
 * The base rate is a Beta distribution around even odds, worth 20 artifacts, plus what was settled of other types, which
 * together are worth 20 artifacts at most, plus what was settled of this class of types. What a statement is worth is its balanced precision: of the artifacts about
 * which this backend says this, the part that is malicious, were there as many malicious as benign ones in the world. It
 * is a Beta distribution too: centred at what the backend claims, worth 8 artifacts; then its record on other types, worth
 * 20 artifacts at most; then its record on this class of types. Its log odds are the log likelihood ratio. A backend's word never counts against
 * what it says: the worst record makes it worth nothing.
 *
 * Fellows of a camp (camps.ts) say what they share once:
 *
 *     accusations of a camp = max(shared * worth) + sum((1 - shared) * worth)
 *
 * Adding an accuser to a sum or a maximum never lowers it. Variances of log odds add up along the same lines; a backend
 * that was asked and did not answer adds what it might have said.
 */
import { logit } from "./calibration.ts";
import { type Camps, NEWCOMER } from "./camps.ts";
import type { Count, Reliability, StatementCounts } from "./reliability.ts";
import type { Statement } from "./statement.ts";
import type { TypeClass } from "./type-class.ts";

/** Log odds of malicious, and how uncertain they are. */
interface Belief {
  readonly z: number;
  readonly variance: number;
}

/** What all say together. */
export interface Conclusion extends Belief {
  /** The sides that have a statement which a verdict may rest on, and whose backend has a record that is worth something. */
  readonly grounds: ReadonlySet<Statement["side"]>;
}

interface Evidence {
  readonly typeClass: TypeClass;
  /** At most one per backend. */
  readonly statements: readonly Statement[];
  /** Backends that should have been heard and were not. */
  readonly missing: number;
}

/** Artifacts that a prior is worth. */
const BASE_WEIGHT = 20;
const CLAIM_WEIGHT = 8;
const CLASS_WEIGHT = 20;
/** Of log odds: an answer that did not come might have changed the odds by e, either way. */
const MISSING_VARIANCE = 1;

/** A Beta distribution by its mean, 0 to 1 and neither, and the artifacts it is worth. */
interface Share {
  readonly mean: number;
  readonly weight: number;
}

export function believe(evidence: Evidence, reliability: Reliability): Conclusion {
  const base = baseRate(evidence, reliability);
  const worths = evidence.statements.map((statement) => ({
    statement,
    ...worthOf(statement, evidence, reliability),
  }));
  const accused = together(
    worths.filter(({ statement }) => statement.side === "accuses"),
    reliability.camps,
  );
  const defended = together(
    worths.filter(({ statement }) => statement.side === "defends"),
    reliability.camps,
  );
  const heeded = worths.filter(({ statement, z }) => statement.carries && z > 0);
  return {
    z: logit(base.mean) + accused.z - defended.z,
    variance: varianceOf(base) + accused.variance + defended.variance + evidence.missing * MISSING_VARIANCE,
    grounds: new Set(heeded.map(({ statement }) => statement.side)),
  };
}

function baseRate({ typeClass }: Evidence, { settled, settledByClass }: Reliability): Share {
  const inClass = settledByClass.get(typeClass) ?? NONE;
  const elsewhere = drawn({ mean: 0.5, weight: BASE_WEIGHT }, less(settled, inClass));
  return drawn(atMost(elsewhere, CLASS_WEIGHT), inClass);
}

/** What a statement adds to its side, never less than nothing. */
function worthOf(
  { backend, saying, claim, side }: Statement,
  { typeClass }: Evidence,
  { backends }: Reliability,
): Belief {
  const track = backends.get(backend);
  const inClass = record(track?.byClass.get(typeClass), saying);
  const overall = record(track?.overall, saying);
  const others = { heard: less(overall.heard, inClass.heard), said: less(overall.said, inClass.said) };
  const elsewhere = drawn({ mean: claim, weight: CLAIM_WEIGHT }, balanced(others));
  const share = drawn(atMost(elsewhere, CLASS_WEIGHT), balanced(inClass));
  const logOdds = logit(share.mean) * (side === "accuses" ? 1 : -1);
  return { z: Math.max(0, logOdds), variance: varianceOf(share) };
}

/** Artifacts of which a backend said something, and those of which it said this. */
interface Saids {
  readonly heard: Count;
  readonly said: Count;
}

const NONE: Count = [0, 0];

const record = (tally: StatementCounts | undefined, saying: Statement["saying"]): Saids => ({
  heard: tally?.heard ?? NONE,
  said: tally?.said.get(saying) ?? NONE,
});

const less = (count: Count, part: Count): Count => [count[0] - part[0], count[1] - part[1]];

/**
 * How often it was said, with the more frequent truth scaled down to the rarer one. Eight imagined artifacts of either
 * truth go along, so that a backend is found out which only ever met one of them.
 */
function balanced({ heard, said }: Saids): Count {
  const rarer = Math.min(heard[0], heard[1]) + CLAIM_WEIGHT;
  return [(said[0] * rarer) / (heard[0] + CLAIM_WEIGHT), (said[1] * rarer) / (heard[1] + CLAIM_WEIGHT)];
}

function drawn(prior: Share, [benign, malicious]: Count): Share {
  const weight = prior.weight + benign + malicious;
  return { mean: (prior.mean * prior.weight + malicious) / weight, weight };
}

/** The same, worth no more than this. */
const atMost = ({ mean, weight }: Share, most: number): Share => ({ mean, weight: Math.min(weight, most) });

/** Of the log odds of a Beta distribution, to first order: 1 / alpha + 1 / beta. */
const varianceOf = ({ mean, weight }: Share): number => 1 / (mean * weight) + 1 / ((1 - mean) * weight);

function together(
  worths: readonly (Belief & { readonly statement: Statement })[],
  { members }: Camps,
): Belief {
  const camps = new Map<string, Belief>();
  let [z, variance] = [0, 0];
  for (const worth of worths) {
    const { camp, shared } = members.get(worth.statement.backend) ?? NEWCOMER;
    z += (1 - shared) * worth.z;
    variance += (1 - shared) * worth.variance;
    const best = camps.get(camp) ?? { z: 0, variance: 0 };
    camps.set(camp, {
      z: Math.max(best.z, shared * worth.z),
      variance: Math.max(best.variance, shared * worth.variance),
    });
  }
  for (const voice of camps.values()) {
    z += voice.z;
    variance += voice.variance;
  }
  return { z, variance };
}
