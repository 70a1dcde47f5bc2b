/** One scan job from its arrival to its answer: fetch, check, detect, scan. Every way it can end is an answer. */
import { type Refusal, refusalOf } from "../domain/accepts.ts";
import type { Caveat } from "../domain/caveat.ts";
import { describeError } from "../domain/fault.ts";
import type { Clock } from "../domain/instant.ts";
import type { NoOpinionReason, ScanAnswer, ScanJob } from "../domain/scan.ts";
import type { ScanOutcome } from "../isolation/running-scan.ts";
import type { Backend } from "../isolation/scan-pool.ts";
import type { Logger } from "../observe/log.ts";
import type { ScanHandler } from "../queue/port.ts";
import { checkFinding } from "../scanners/finding.ts";
import { detectTypes } from "../triage/detect.ts";
import type { ArtifactContent, FetchFailure } from "./artifact-attempts.ts";
import { CaveatMemory } from "./caveat-memory.ts";
import type { ArtifactSource } from "./fetch-artifact.ts";
import { complaintsTeller } from "./metadata-complaints.ts";
import type { ScanPlaces } from "./scan-places.ts";

export interface HandlerParts {
  /** By name. */
  readonly backends: ReadonlyMap<string, Backend>;
  readonly source: ArtifactSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** Name of this consumer. */
  readonly consumer: string;
  /** This consumer's own limit; a job may ask for less. */
  readonly maxSizeBytes: number;
  /** Scans at the same time, over all backends. Default: as many as there are jobs. */
  readonly scans?: Pick<ScanPlaces, "enter">;
  /** Why a backend may not scan another artifact now, if so; `take` counts it. Default: it may. */
  readonly refusedByRate?: (backend: string, how: "take" | "peek") => Promise<string | undefined>;
  /** A job with less time left before its deadline is not begun. Default: 0. */
  readonly requiredMs?: number;
}

/** An answer, less what is the same for every way it can end. */
type ScanResult = Pick<ScanAnswer, "verdict" | "confidence" | "metadata"> &
  Partial<Pick<ScanAnswer, "reason" | "detail" | "family">>;

const withoutVerdict = (reason: NoOpinionReason, detail?: string): ScanResult => ({
  verdict: "unknown",
  confidence: 0,
  metadata: {},
  reason,
  ...(detail === undefined ? {} : { detail }),
});

/** A job being worked on. */
interface JobInProgress {
  readonly job: ScanJob;
  /** Ends the work. */
  readonly signal: AbortSignal;
  readonly caveats: CaveatMemory;
  readonly facts: JobFacts;
}

/** What has become known of the job so far; the answer has it, however the job ends. */
interface JobFacts {
  fetchMs: number;
  scanMs: number;
  content?: ArtifactContent;
  types: readonly string[];
  /** Why the scanner's metadata was dropped, if all of it was. */
  dropped?: string;
}

export function createScanHandler(parts: HandlerParts): ScanHandler {
  const { clock, consumer, log } = parts;
  const caveats = new CaveatMemory();
  const complain = complaintsTeller(log);
  return async (job, signal) => {
    const queuedMs = elapsedMs(clock, job.dispatchedAt);
    const facts: JobFacts = { fetchMs: 0, scanMs: 0, types: [] };
    const result = await resultOf({ job, signal, caveats, facts }, parts).catch((error: unknown) => {
      log.error({ job: job.id, error: describeError(error) }, "scan.failed");
      return withoutVerdict("scanner-error", describeError(error));
    });
    complain(job.backend, result.metadata, facts.dropped);
    const version = parts.backends.get(job.backend)?.description.version;
    return {
      jobId: job.id,
      guid: job.guid,
      artifactIndex: job.artifactIndex,
      backend: job.backend,
      ...result,
      ...(version === undefined ? {} : { scannerVersion: version }),
      ...(facts.content && { sha256: facts.content.sha256, sizeBytes: facts.content.bytes.length }),
      types: facts.types,
      timings: { queuedMs, fetchMs: facts.fetchMs, scanMs: facts.scanMs },
      consumer,
    };
  };
}

async function resultOf(
  { job, signal, caveats, facts }: JobInProgress,
  parts: HandlerParts,
): Promise<ScanResult> {
  const { backends, clock, source, scans, refusedByRate, requiredMs = 0 } = parts;
  const backend = backends.get(job.backend);
  if (backend === undefined)
    return withoutVerdict("not-accepted", `This consumer does not run ${job.backend}.`);
  const leftMs = job.deadline - clock.now();
  if (leftMs <= 0) return withoutVerdict("expired");
  if (leftMs < requiredMs)
    return withoutVerdict("expired", `${leftMs} ms are left, a scan wants ${requiredMs}.`);
  if (signal.aborted) return withoutVerdict("cancelled");
  const exhausted = await refusedByRate?.(job.backend, "peek");
  if (exhausted !== undefined) return withoutVerdict("rate-limited", exhausted);

  const { artifact, deadline } = job;
  const maxSizeBytes = Math.min(job.maxSizeBytes, parts.maxSizeBytes);
  const fetchedFrom = clock.now();
  const content = await source.fetch({ artifact, maxSizeBytes, deadline }, signal);
  facts.fetchMs = elapsedMs(clock, fetchedFrom);
  if (content.kind !== "content") return notFetched(content, deadline - clock.now());
  facts.content = content;

  const mismatch = mismatchOf(job, content);
  if (mismatch !== undefined) return withoutVerdict("hash-mismatch", mismatch);
  if (job.kind === "url" && !isUtf8(content.bytes)) return withoutVerdict("not-text");
  facts.types = await detectTypes(content.bytes, job.kind, "whole");
  const sizeBytes = content.bytes.length;
  const refusal = refusalOf(backend.description.accepts, { kind: job.kind, types: facts.types, sizeBytes });
  if (refusal !== undefined)
    return withoutVerdict("not-accepted", refusalText(refusal, job.backend, facts.types));

  using place = await scans?.enter(signal, job.backend);
  if (scans !== undefined && place === undefined) {
    return withoutVerdict(deadline - clock.now() <= TIMER_SLACK_MS ? "expired" : "cancelled");
  }
  // Counted only now: a download that failed or an artifact that is refused uses nothing up.
  const refused = await refusedByRate?.(job.backend, "take");
  if (refused !== undefined) return withoutVerdict("rate-limited", refused);

  const { bytes, sha256 } = content;
  const caveat = job.kind === "file" ? caveats.of(bytes, deadline - clock.now()) : undefined;
  const scannedFrom = clock.now();
  const outcome = await backend.scan(
    { kind: job.kind, bytes, sha256, types: facts.types, claim: job.claim, deadline },
    signal,
  );
  facts.scanMs = elapsedMs(clock, scannedFrom);
  const { dropped, ...result } = resultOfScan(outcome);
  if (dropped !== undefined) facts.dropped = dropped;
  const clears = result.reason === "no-match" || result.verdict === "benign";
  return clears ? qualified(result, await caveat) : result;
}

/** A clock that was set back would make a duration negative, and an answer with such a one is thrown away. */
const elapsedMs = (clock: Clock, from: number): number => Math.max(0, clock.now() - from);

/** A timer may fire a little early, so an abort this close to the deadline is the deadline. */
const TIMER_SLACK_MS = 20;

/** The job's signal aborts at its deadline too; that is a download that was too slow, not one that was called off. */
function notFetched({ kind, detail }: FetchFailure, remainingMs: number): ScanResult {
  const tooSlow = kind === "cancelled" && remainingMs <= TIMER_SLACK_MS;
  return tooSlow
    ? withoutVerdict("download-failed", "The artifact did not arrive in time.")
    : withoutVerdict(kind, detail);
}

/** What could not be seen through is not benign, whether a backend says so or finds nothing in it. */
const qualified = (clearing: ScanResult, caveat: Caveat | undefined): ScanResult =>
  caveat === undefined
    ? clearing
    : {
        ...clearing,
        verdict: "unknown",
        confidence: 0,
        reason: "undecided",
        detail: `${caveat.kind}: ${caveat.sentence}`,
      };

function resultOfScan(outcome: ScanOutcome): ScanResult & { readonly dropped?: string } {
  switch (outcome.kind) {
    case "finding": {
      const checked = checkFinding(outcome.finding);
      if (!checked.ok) return withoutVerdict("invalid-result", checked.why);
      if (checked.finding.verdict !== "unknown") return checked.finding;
      // Silence and "I cannot tell, because" are different things: only silence may be taken for benign.
      return { ...checked.finding, reason: checked.finding.detail === undefined ? "no-match" : "undecided" };
    }
    case "unsendable":
      return withoutVerdict("invalid-result", outcome.detail);
    case "thrown":
      return withoutVerdict("scanner-error", outcome.detail);
    case "not-handed-over":
      return withoutVerdict("crashed", outcome.detail);
    case "crashed":
    case "out-of-memory":
      return withoutVerdict(outcome.kind, outcome.detail);
    case "timeout":
    case "cancelled":
      return withoutVerdict(outcome.kind);
  }
}

/**
 * The declared hash is a stranger's word too; but content that is not what the bounty is about is not worth a stake. A
 * declared length counts where there is no hash to go by.
 */
function mismatchOf({ claim }: ScanJob, { sha256, bytes }: ArtifactContent): string | undefined {
  const declared = claim.sha256?.toLowerCase();
  if (declared !== undefined && /^[0-9a-f]{64}$/.test(declared)) {
    return declared === sha256 ? undefined : `The bounty declares ${declared}, the content is ${sha256}.`;
  }
  return claim.sizeBytes === undefined || claim.sizeBytes === bytes.length
    ? undefined
    : `The bounty declares ${claim.sizeBytes} bytes, the content has ${bytes.length}.`;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function refusalText(refusal: Refusal, backend: string, types: readonly string[]): string {
  if (refusal === "type-not-accepted") return `${backend} does not take ${types[0]}.`;
  return refusal === "too-large"
    ? `It is larger than ${backend} takes.`
    : `${backend} does not take its kind.`;
}
