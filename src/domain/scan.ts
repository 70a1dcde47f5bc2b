import type { ArtifactClaim, ArtifactKind, ArtifactReference } from "./artifact.ts";
import type { MarketId } from "./bounty.ts";
import type { Guid } from "./guid.ts";
import type { Instant } from "./instant.ts";
import type { Verdict } from "./verdict.ts";

/** Why a scan gave no opinion. Stable names: the ledger, metrics and logs carry them. */
export const NO_OPINION_REASONS = [
  "no-match", // the backend looked and found nothing; whether that means benign is the operator's to say
  "undecided", // the backend looked and says why it cannot tell (encrypted, truncated ...): never a sign of benign
  "not-accepted", // the backend does not take artifacts of this kind, type or size
  "expired", // the job's deadline had passed before the scan began
  "rate-limited", // the operator lets this backend scan no more in this second, minute, hour or day
  "timeout", // the scan did not end before its deadline and was killed
  "crashed", // the scanner's process died
  "out-of-memory", // the scanner's process was killed because it held more memory than it may
  "scanner-error", // the scanner threw
  "invalid-result", // the scanner answered something that is not a finding
  "download-failed",
  "too-large",
  "hash-mismatch", // the content is not what the bounty's listing or metadata declares
  "not-text", // a URL artifact that is not UTF-8
  "cancelled", // the consumer stopped before the scan ended
] as const;
export type NoOpinionReason = (typeof NO_OPINION_REASONS)[number];

/** Work for one backend on one artifact. Everything a consumer needs, nothing it must not have. */
export interface ScanJob {
  /** `${market}-${guid}-${artifactIndex}-${backend}`: dispatching it twice runs it once. */
  readonly id: string;
  readonly guid: Guid;
  readonly market: MarketId;
  readonly artifactIndex: number;
  readonly backend: string;
  readonly kind: ArtifactKind;
  /** Where its content is. The index of a content reference is `artifactIndex`. */
  readonly artifact: ArtifactReference;
  readonly claim: ArtifactClaim;
  /** The instant after which the answer is worthless. */
  readonly deadline: Instant;
  readonly maxSizeBytes: number;
  readonly dispatchedAt: Instant;
}

/** Milliseconds, each from the start of its own stage. */
interface ScanTimings {
  /** From dispatch until a consumer took the job. */
  readonly queuedMs: number;
  readonly fetchMs: number;
  readonly scanMs: number;
}

/** What a consumer says of one job. Failures are answers too: verdict `unknown` with a reason. */
export interface ScanAnswer {
  readonly jobId: string;
  readonly guid: Guid;
  readonly artifactIndex: number;
  readonly backend: string;
  readonly verdict: Verdict;
  /** 0..1: how often the backend is right when it says this, by its own account. 0 when unknown. */
  readonly confidence: number;
  /** Present exactly when the verdict is `unknown`. */
  readonly reason?: NoOpinionReason;
  /** A sentence for people, when there is more to say than the reason. */
  readonly detail?: string;
  readonly family?: string;
  /** What the scanner adds to the assertion metadata. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Of the scanner module. */
  readonly scannerVersion?: string;
  readonly sha256?: string;
  readonly sizeBytes?: number;
  /** Every MIME type found in the content, most specific first. */
  readonly types: readonly string[];
  readonly timings: ScanTimings;
  /** Name of the consumer that answered. */
  readonly consumer: string;
}

export const scanJobId = (market: MarketId, guid: Guid, artifactIndex: number, backend: string): string =>
  `${market}-${guid}-${artifactIndex}-${backend}`;
