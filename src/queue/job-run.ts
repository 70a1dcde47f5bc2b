import { describeError } from "../domain/fault.ts";
import type { Clock } from "../domain/instant.ts";
import type { ScanJob } from "../domain/scan.ts";
import { answerWithoutOpinion } from "./answer-without-opinion.ts";
import { encodeAnswer, type WireAnswer } from "./job-codec.ts";
import type { ScanHandler } from "./port.ts";

export interface JobRun {
  readonly handler: ScanHandler;
  /** Aborts when the consumer must stop at once. */
  readonly stop: AbortSignal;
  readonly clock: Clock;
  /** Name of this consumer, for answers that the handler did not give. */
  readonly consumer: string;
  /** Whether only our producer can have written the job. */
  readonly origin: "certain" | "uncertain";
}

const URL_WITHOUT_SECRET =
  "The job names its artifact by a URL, which is fetched only under a QUEUE_SECRET: give the producer and every consumer the same one.";

/** A timer cannot be set further ahead than this. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * One job through the handler, deadline and all. Never rejects. `undefined` means that the consumer was stopped
 * before there was an opinion: the job is to be given back, so that another consumer has it.
 *
 * A URL in a job of uncertain origin is not fetched: a stranger who writes to the queue would choose where consumers connect to.
 * It is decided here because this is the only way from any queue to a handler, and each queue has to say what it knows of
 * the origin: the one on Redis by the secret that the job was opened with, the embedded one by its channel, to which only the
 * producer writes.
 */
export async function runJob(job: ScanJob, run: JobRun): Promise<WireAnswer | undefined> {
  const { consumer, stop } = run;
  if (stop.aborted) return undefined;
  const now = run.clock.now();
  const queuedMs = Math.max(0, now - job.dispatchedAt);
  if (now >= job.deadline) {
    const late = `The deadline had passed ${now - job.deadline} ms before a consumer took the job.`;
    return encodeAnswer(job, answerWithoutOpinion(job, "expired", late, { consumer, queuedMs }));
  }
  if (job.artifact.kind === "url" && run.origin !== "certain") {
    const refused = answerWithoutOpinion(job, "download-failed", URL_WITHOUT_SECRET, { consumer, queuedMs });
    return encodeAnswer(job, refused);
  }
  const end = new AbortController();
  const onStop = () => end.abort(stop.reason);
  const timer = setTimeout(
    () => end.abort(new DOMException("The deadline has passed.", "TimeoutError")),
    Math.min(job.deadline - now, MAX_TIMER_MS),
  );
  stop.addEventListener("abort", onStop, { once: true });
  try {
    const answer = await run.handler(job, end.signal);
    return stop.aborted && answer.reason === "cancelled" ? undefined : encodeAnswer(job, answer);
  } catch (error) {
    if (stop.aborted) return undefined;
    return encodeAnswer(
      job,
      answerWithoutOpinion(job, "scanner-error", describeError(error), { consumer, queuedMs }),
    );
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", onStop);
  }
}
