import type { Ppm, Verdict } from "./verdict.ts";

/** One verdict for one artifact. */
export interface Opinion {
  /** Only `malicious` and `benign` can be asserted. */
  readonly verdict: Verdict;
  /** 0 at even odds, 1 at certainty; what bid strategies stake on. */
  readonly confidence: Ppm;
  /** Estimate of P(malicious) and an interval around it that is wider the less is known. */
  readonly probability: Ppm;
  readonly interval: readonly [low: Ppm, high: Ppm];
  /** Family named by the most confident backend that agrees with the verdict; "" when none. */
  readonly family: string;
  /** A few words on how it came about, for logs and the ledger. */
  readonly reason: string;
}
