import type { ScanAnswer } from "./scan.ts";
import type { Ppm, Verdict } from "./verdict.ts";

/** What a backend said of an artifact, as far as one can learn from it. */
export type PastAnswer = Pick<ScanAnswer, "backend" | "verdict" | "confidence" | "reason">;

/** An artifact on which the arbiters have decided, and what was said of it before they did. */
export interface SettledArtifact {
  readonly malicious: boolean;
  /** Every MIME type that a consumer found in the content, most specific first; none when no consumer could look. */
  readonly types: readonly string[];
  /** At most one per backend. */
  readonly answers: readonly PastAnswer[];
  /** Our own opinion at the time; `null` when there was none. */
  readonly given: { readonly verdict: Verdict; readonly probability: Ppm } | null;
}
