import { PPM_ONE, type Ppm, ppm, type Verdict } from "./verdict.ts";

/** One verdict for one artifact. */
export interface Opinion {
  /** Only `malicious` and `benign` can be asserted. */
  readonly verdict: Verdict;
  /** The chance that the verdict is right, by `confidenceIn`; what bid strategies stake on. */
  readonly confidence: Ppm;
  /** Estimate of P(malicious) and an interval around it that is wider the less is known. */
  readonly probability: Ppm;
  readonly interval: readonly [low: Ppm, high: Ppm];
  /** Family named by the most confident backend that agrees with the verdict; "" when none. */
  readonly family: string;
  /** A few words on how it came about, for logs and the ledger. */
  readonly reason: string;
}

/**
 * The chance that a verdict is right at this P(malicious): one half at even odds, one at certainty. `suspicious` takes no
 * side and has the chance of the likelier one; `unknown` claims nothing and has none.
 */
export function confidenceIn(verdict: Verdict, probability: Ppm): Ppm {
  switch (verdict) {
    case "malicious":
      return probability;
    case "benign":
      return (PPM_ONE - probability) as Ppm;
    case "suspicious":
      return Math.max(probability, PPM_ONE - probability) as Ppm;
    case "unknown":
      return ppm(0);
  }
}

/** Nothing is known of the artifact, and why. */
export const noOpinion = (reason: string): Opinion => ({
  verdict: "unknown",
  confidence: ppm(0),
  probability: ppm(0.5),
  interval: [ppm(0), ppm(1)],
  family: "",
  reason,
});
