import type { NoOpinionReason, ScanAnswer, ScanJob } from "../domain/scan.ts";

/** The part of a job that its id already tells. */
type NamedJob = Pick<ScanJob, "id" | "guid" | "artifactIndex" | "backend">;

/** An answer to a job without a scan: `unknown`, and why. */
export function answerWithoutOpinion(
  job: NamedJob,
  reason: NoOpinionReason,
  detail: string,
  by: { readonly consumer: string; readonly queuedMs?: number },
): ScanAnswer {
  return {
    jobId: job.id,
    guid: job.guid,
    artifactIndex: job.artifactIndex,
    backend: job.backend,
    verdict: "unknown",
    confidence: 0,
    reason,
    detail,
    metadata: {},
    types: [],
    timings: { queuedMs: by.queuedMs ?? 0, fetchMs: 0, scanMs: 0 },
    consumer: by.consumer,
  };
}

export const invalidResult = (job: NamedJob, why: string, consumer: string): ScanAnswer =>
  answerWithoutOpinion(job, "invalid-result", `The answer is not one: ${why}.`, { consumer });
