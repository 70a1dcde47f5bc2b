/** How good stated probabilities were, now that the truth is known. Pure; probabilities are P(malicious), 0 to 1. */

export interface Stated {
  readonly probability: number;
  readonly malicious: boolean;
}

/** Verdicts given with about the same chance of being right. */
export interface Bin {
  /** From this chance on, up to the next bin's. The first begins at even odds. */
  readonly from: number;
  readonly count: number;
  /** The mean chance of being right that was stated. */
  readonly stated: number;
  /** The part that was right. */
  readonly right: number;
}

export interface Score {
  readonly count: number;
  /** Mean squared error; 0.25 for always saying one half. */
  readonly brier: number;
  /** Mean of -ln(the probability given to what came true); 0.693 for always saying one half. */
  readonly logLoss: number;
  /** Mean distance between stated and right over the bins, each by its count. */
  readonly calibrationError: number;
  readonly bins: readonly Bin[];
}

/** A probability of 0 that came true would cost everything: nothing costs more than one in a thousand. */
const SUREST = 0.999;
const BINS = 10;

/** Undefined when there is nothing to score. */
export function scoreOf(all: readonly Stated[]): Score | undefined {
  if (all.length === 0) return undefined;
  const chances = all.map(({ probability, malicious }) => {
    const stated = Math.max(probability, 1 - probability);
    // At exactly one half either verdict is half right.
    const right = probability === 0.5 ? 0.5 : probability > 0.5 === malicious ? 1 : 0;
    return { stated, right };
  });
  const bins = Array.from({ length: BINS }, (_, index): Bin => {
    const from = 0.5 + index / (2 * BINS);
    const inside = chances.filter(({ stated }) => binOf(stated) === index);
    return {
      from,
      count: inside.length,
      stated: mean(inside.map(({ stated }) => stated)),
      right: mean(inside.map(({ right }) => right)),
    };
  }).filter(({ count }) => count > 0);
  return {
    count: all.length,
    brier: mean(all.map(({ probability, malicious }) => (probability - (malicious ? 1 : 0)) ** 2)),
    logLoss: mean(all.map(surprise)),
    calibrationError:
      bins.reduce((sum, { count, stated, right }) => sum + count * Math.abs(stated - right), 0) / all.length,
    bins,
  };
}

/** The rounding makes 0.55 begin a bin, whatever binary fractions make of it. */
const binOf = (stated: number): number =>
  Math.min(BINS - 1, Math.floor(Math.round((stated - 0.5) * 2 * BINS * 1e6) / 1e6));

function surprise({ probability, malicious }: Stated): number {
  const p = malicious ? probability : 1 - probability;
  return -Math.log(Math.min(SUREST, Math.max(1 - SUREST, p)));
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
