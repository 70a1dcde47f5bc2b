import type { Testimony } from "../../distill/contract.ts";
import type { ArtifactReference } from "../../domain/artifact.ts";
import { unpackBits } from "../../domain/bits.ts";
import type { Bounty } from "../../domain/bounty.ts";
import { type Clock, type Instant, instant } from "../../domain/instant.ts";
import type { Opinion } from "../../domain/opinion.ts";
import { PPM_ONE } from "../../domain/verdict.ts";
import type { VerdictGuess } from "../../market/recovery.ts";
import type { ScanQueue } from "../../queue/port.ts";
import { type ArtifactInWork, jobsOf, withAnswers } from "../answering/artifact-in-work.ts";
import type { Collector } from "../answering/collector.ts";

export interface RescanParts {
  readonly queue: ScanQueue;
  readonly collector: Collector;
  /** Names of all backends in use; each is asked about each artifact. */
  readonly backends: readonly string[];
  readonly distill: (testimony: Testimony) => Opinion;
  readonly clock: Clock;
  readonly maxSizeBytes: number;
}

/** What is scanned anew, and until when. */
interface Rescan {
  readonly bounty: Bounty;
  readonly mask: bigint;
  readonly until: Instant;
  /** Where its artifacts are. */
  readonly reference: (bounty: Bounty, index: number) => ArtifactReference;
}

/**
 * Has the masked artifacts scanned once more and distils the answers as the producer did: with the same backends the
 * same verdicts come out, save for artifacts near even odds. The ids of the jobs are those of the first scan, so what
 * the queue still remembers of that is dropped first: it may be an old failure, or a job past its deadline.
 * Undefined when no backend answers by `until`.
 */
export async function rescan(
  { queue, collector, backends, distill, clock, maxSizeBytes }: RescanParts,
  { bounty, mask, until, reference }: Rescan,
  signal: AbortSignal,
): Promise<VerdictGuess | undefined> {
  const items = unpackBits(mask, bounty.artifactCount).flatMap((masked, index): ArtifactInWork[] =>
    masked ? [{ index, asked: backends, answers: [], opinion: null }] : [],
  );
  const terms = { deadline: until, now: clock.now(), maxSizeBytes, reference };
  const jobs = jobsOf(bounty, items, terms);
  const ids = jobs.map(({ id }) => id);
  await queue.forget(ids);
  const answers = await collector.collect(jobs, until, signal);
  void queue.forget(ids).catch(() => undefined);
  if (answers.length === 0) return undefined;
  const opinions = withAnswers(items, answers).map(({ index, asked, answers: heard }) => ({
    index,
    opinion: distill({ asked, answers: heard }),
  }));
  return guessFrom(opinions);
}

/** How long scanning anew may take: so many seconds, and never longer than it is of use. */
export function rescanUntil(now: Instant, seconds: number, before: Instant | undefined): Instant {
  const patience = instant(now + seconds * 1_000);
  return before === undefined || patience < before ? patience : before;
}

/** The likelier verdict of each artifact, the one nearest to even odds first. */
export function guessFrom(
  opinions: readonly {
    readonly index: number;
    readonly opinion: Pick<Opinion, "probability" | "confidence">;
  }[],
): VerdictGuess {
  const bits = opinions.map(({ index, opinion }) =>
    opinion.probability > PPM_ONE / 2 ? 1n << BigInt(index) : 0n,
  );
  return {
    verdicts: bits.reduce((verdicts, bit) => verdicts | bit, 0n),
    doubtful: opinions
      .toSorted((a, b) => a.opinion.confidence - b.opinion.confidence || a.index - b.index)
      .map(({ index }) => index),
  };
}
