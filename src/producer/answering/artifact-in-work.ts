import { NO_CLAIM } from "../../domain/artifact.ts";
import type { Bounty } from "../../domain/bounty.ts";
import type { Instant } from "../../domain/chain.ts";
import type { Opinion } from "../../domain/opinion.ts";
import { type ScanAnswer, type ScanJob, scanJobId } from "../../domain/scan.ts";

/** One artifact on its way through the desk. */
export interface Case {
  readonly index: number;
  /** Backends it was given to; none when triage skipped it. */
  readonly asked: readonly string[];
  readonly answers: readonly ScanAnswer[];
  /** `null` when nobody was asked. */
  readonly opinion: Opinion | null;
}

/** The scan jobs of a bounty: one for every artifact and backend asked. */
export function jobsOf(
  bounty: Bounty,
  cases: readonly Case[],
  terms: { readonly deadline: Instant; readonly now: Instant; readonly maxSizeBytes: number },
): readonly ScanJob[] {
  return cases.flatMap(({ index, asked }) =>
    asked.map((backend) => ({
      id: scanJobId(bounty.chain, bounty.guid, index, backend),
      guid: bounty.guid,
      chain: bounty.chain,
      artifactIndex: index,
      backend,
      kind: bounty.kind,
      uri: bounty.uri,
      claim: bounty.claims[index] ?? NO_CLAIM,
      deadline: terms.deadline,
      maxSizeBytes: terms.maxSizeBytes,
      dispatchedAt: terms.now,
    })),
  );
}

/** The ids of those jobs. */
export const jobIdsOf = ({ chain, guid }: Bounty, cases: readonly Case[]): readonly string[] =>
  cases.flatMap(({ index, asked }) => asked.map((backend) => scanJobId(chain, guid, index, backend)));

/** Gives every case the answers that came for it. */
export const withAnswers = (cases: readonly Case[], answers: readonly ScanAnswer[]): readonly Case[] =>
  cases.map((item) => ({
    ...item,
    answers: answers.filter((answer) => answer.artifactIndex === item.index),
  }));
