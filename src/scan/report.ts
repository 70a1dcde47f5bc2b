import { noOpinion, type Opinion } from "../domain/opinion.ts";
import type { NoOpinionReason, ScanAnswer } from "../domain/scan.ts";
import { ratioOf, type Verdict } from "../domain/verdict.ts";

/** What one backend said of a file. */
export interface BackendResult {
  readonly backend: string;
  readonly verdict: Verdict;
  /** 0..1, as the scanner says it. */
  readonly confidence: number;
  readonly family: string | null;
  /** Why it has no opinion; one of NO_OPINION_REASONS. */
  readonly reason: string | null;
  readonly detail: string | null;
  readonly ms: number;
}

/** What is known of one file in the end. The same keys for every file; they are what `--json` writes. */
export interface FileReport {
  readonly path: string;
  /** `null` for what was not read: too large, or not readable. */
  readonly sha256: string | null;
  /** Bytes; `null` for what is not readable. */
  readonly size: number | null;
  readonly types: readonly string[];
  readonly verdict: Verdict;
  /** The chance that the verdict is right, what a bid strategy would stake on; 0 for `unknown`. */
  readonly confidence: number;
  /** P(malicious) and the interval around it, 0..1. */
  readonly probability: number;
  readonly interval: readonly [low: number, high: number];
  readonly family: string | null;
  /** How the verdict came about, or why no backend looked. */
  readonly reason: string;
  readonly results: readonly BackendResult[];
}

/** What is known of a file before any backend is asked. */
export type Seen = Pick<FileReport, "path" | "sha256" | "size" | "types">;

export const reportUnscanned = (seen: Seen, reason: string): FileReport =>
  reportScanned(seen, noOpinion(reason), []);

export const reportUnreadable = (path: string, why: string): FileReport =>
  reportUnscanned({ path, sha256: null, size: null, types: [] }, `not readable: ${why}`);

/** Whether a report is of a file that could not be read. */
export const isUnreadable = ({ size }: FileReport): boolean => size === null;

/** What keeps a backend from looking, other than that the file is nothing for it. */
const FAILURES: ReadonlySet<string> = new Set<NoOpinionReason>([
  ...(["expired", "timeout", "crashed", "out-of-memory"] as const),
  ...(["scanner-error", "invalid-result", "cancelled"] as const),
]);

/** Why a file could not be scanned: it could not be read, or every backend that was asked failed. */
export function failureOf(report: FileReport): string | undefined {
  const { reason, results } = report;
  if (isUnreadable(report)) return reason;
  const failed = results.length > 0 && results.every((result) => FAILURES.has(result.reason ?? ""));
  if (!failed) return undefined;
  return results.map(({ backend, reason: why }) => `${backend}: ${why}`).join(", ");
}

export function reportScanned(seen: Seen, opinion: Opinion, answers: readonly ScanAnswer[]): FileReport {
  const { verdict, confidence, probability, interval, family, reason } = opinion;
  return {
    path: seen.path,
    sha256: seen.sha256,
    size: seen.size,
    types: seen.types,
    verdict,
    confidence: ratioOf(confidence),
    probability: ratioOf(probability),
    interval: [ratioOf(interval[0]), ratioOf(interval[1])],
    family: family === "" ? null : family,
    reason,
    results: answers.map(resultOf),
  };
}

const resultOf = (answer: ScanAnswer): BackendResult => ({
  backend: answer.backend,
  verdict: answer.verdict,
  confidence: answer.confidence,
  family: answer.family ?? null,
  reason: answer.reason ?? null,
  detail: answer.detail ?? null,
  ms: answer.timings.scanMs,
});
