/**
 * What became of what the backends said: artifacts whose truth the arbiters decided, with the answers given before. Read
 * to learn from, the newest first, bounded; the truth of an artifact is known once its bounty is settled.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { NO_OPINION_REASONS } from "../../domain/scan.ts";
import type { SettledArtifact } from "../../domain/settled.ts";
import { type Ppm, VERDICTS } from "../../domain/verdict.ts";
import type { BountyKey } from "../records.ts";

/** JSON of an answer: backend, verdict, confidence, reason, types. */
const ANSWERS = `(SELECT json_group_array(json_array(backend, answer.verdict, answer.confidence, answer.reason,
    json_extract(body, '$.types')))
  FROM answer WHERE answer.market = artifact.market AND answer.guid = artifact.guid
    AND answer.position = artifact.position)`;
const COLUMNS = `truth, verdict, probability_ppm, ${ANSWERS} AS answers`;

export const HISTORY_QUERIES = {
  // The cross join keeps SQLite to this order: along the index of settlements, newest first, as far as needed.
  newest: `SELECT ${COLUMNS} FROM assertion CROSS JOIN artifact USING (market, guid)
    WHERE settled_at IS NOT NULL AND truth IS NOT NULL ORDER BY settled_at DESC LIMIT ?`,
  ofBounty: `SELECT ${COLUMNS} FROM artifact
    WHERE market = ? AND guid = ? AND truth IS NOT NULL ORDER BY position`,
} as const;

const answerRow = z.tuple([
  z.string(),
  z.enum(VERDICTS),
  z.number(),
  z.enum(NO_OPINION_REASONS).nullable().catch(null),
  z.array(z.string()).catch([]),
]);
const historyRow = z.object({
  truth: z.number(),
  verdict: z.enum(VERDICTS).nullable(),
  probability_ppm: z.number().nullable(),
  answers: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.array(answerRow)),
});

/** The newest artifacts whose truth is known, at most so many, newest bounty first. */
export const newestSettled = (db: DatabaseSync, most: number): readonly SettledArtifact[] =>
  db.prepare(HISTORY_QUERIES.newest).all(most).flatMap(readSettled);

/** The artifacts of one bounty whose truth is known, in index order. */
export const settledOf = (db: DatabaseSync, { market, guid }: BountyKey): readonly SettledArtifact[] =>
  db.prepare(HISTORY_QUERIES.ofBounty).all(market, guid).flatMap(readSettled);

/** A row that cannot be read teaches nothing, and does not stop the others. */
function readSettled(raw: unknown): readonly SettledArtifact[] {
  const row = historyRow.safeParse(raw);
  if (!row.success) return [];
  const { truth, verdict, probability_ppm: probability, answers } = row.data;
  return [
    {
      malicious: truth === 1,
      types: answers.map(([, , , , types]) => types).find((types) => types.length > 0) ?? [],
      answers: answers.map(([backend, said, confidence, reason]) => ({
        backend,
        verdict: said,
        confidence,
        ...(reason === null ? {} : { reason }),
      })),
      given: verdict === null || probability === null ? null : { verdict, probability: probability as Ppm },
    },
  ];
}
