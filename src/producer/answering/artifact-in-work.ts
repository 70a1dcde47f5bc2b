import { type ArtifactReference, NO_CLAIM } from "../../domain/artifact.ts";
import type { Bounty } from "../../domain/bounty.ts";
import type { Instant } from "../../domain/instant.ts";
import type { Opinion } from "../../domain/opinion.ts";
import { type ScanAnswer, type ScanJob, scanJobId } from "../../domain/scan.ts";

/** One artifact of a bounty in work. */
export interface ArtifactInWork {
  readonly index: number;
  /** Backends it was given to; none when triage skipped it. */
  readonly asked: readonly string[];
  readonly answers: readonly ScanAnswer[];
  /** `null` when no backend was asked. */
  readonly opinion: Opinion | null;
}

/** How jobs are to be done, and what names their artifacts. */
interface JobTerms {
  readonly deadline: Instant;
  readonly now: Instant;
  readonly maxSizeBytes: number;
  /** Of the artifact with this index. */
  readonly reference: (bounty: Bounty, index: number) => ArtifactReference;
}

/** The scan jobs of a bounty: one for every artifact and backend asked. */
export function jobsOf(
  bounty: Bounty,
  items: readonly ArtifactInWork[],
  terms: JobTerms,
): readonly ScanJob[] {
  return items.flatMap(({ index, asked }) =>
    asked.map((backend) => ({
      id: scanJobId(bounty.market, bounty.guid, index, backend),
      guid: bounty.guid,
      market: bounty.market,
      artifactIndex: index,
      backend,
      kind: bounty.kind,
      artifact: terms.reference(bounty, index),
      claim: bounty.claims[index] ?? NO_CLAIM,
      deadline: terms.deadline,
      maxSizeBytes: terms.maxSizeBytes,
      dispatchedAt: terms.now,
    })),
  );
}

/** The ids of those jobs. */
export const jobIdsOf = ({ market, guid }: Bounty, items: readonly ArtifactInWork[]): readonly string[] =>
  items.flatMap(({ index, asked }) => asked.map((backend) => scanJobId(market, guid, index, backend)));

/** Gives every artifact the answers that came for it. */
export const withAnswers = (
  items: readonly ArtifactInWork[],
  answers: readonly ScanAnswer[],
): readonly ArtifactInWork[] =>
  items.map((item) => ({
    ...item,
    answers: answers.filter((answer) => answer.artifactIndex === item.index),
  }));
