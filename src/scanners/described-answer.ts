/**
 * What a program or service that knows nothing of us answers, read as a finding by the tables in its description. Pure.
 *
 * An answer comes in two parts. Its outcome is a number (exit code, HTTP status) with a meaning of its own, or the word
 * "answer": look into the text. The text is JSON, and pointers (RFC 6901) say where in it the finding is.
 *
 * Lenient with what costs nothing (a family that is no text is left out), strict with what would cost a stake: a verdict
 * word that is in no table, or a confidence beyond its scale, makes the answer no answer.
 */
import { z } from "zod";
import { Fault } from "../domain/fault.ts";
import { VERDICTS } from "../domain/verdict.ts";
import type { Finding } from "./contract.ts";

const shortHand = (value: unknown): unknown => (typeof value === "string" ? { verdict: value } : value);

const meaningOf = <const Words extends readonly string[]>(words: Words) =>
  z.preprocess(
    shortHand,
    z.strictObject({
      verdict: z.enum(words),
      confidence: z.number().min(0).max(1).exactOptional(),
      family: z.string().exactOptional(),
      /** For `unknown`: makes it a "cannot tell, because" instead of a silence that may be taken for benign. */
      detail: z.string().exactOptional(),
    }),
  );

/** What a number means: a verdict, alone or with what goes with it, or "answer". */
export const OutcomesShape = z.record(
  z.string().regex(/^\d{1,3}$/, "must be a number of up to three digits"),
  meaningOf([...VERDICTS, "answer"]),
);
export type Outcomes = z.infer<typeof OutcomesShape>;

const pointer = (standard: string) =>
  z
    .string()
    .regex(/^(?:\/(?:[^~]|~[01])*)?$/, 'must be a JSON pointer, like "/result/verdict"')
    .default(standard);

const OWN_WORDS = Object.fromEntries(VERDICTS.map((verdict) => [verdict, { verdict }] as const));

export const AnswerShape = z.strictObject({
  verdict: pointer("/verdict"),
  confidence: pointer("/confidence"),
  /** The confidence that means certainty: 1 for ratios, 100 for percents. */
  confidenceMax: z.number().positive().default(1),
  family: pointer("/family"),
  detail: pointer("/detail"),
  metadata: pointer("/metadata"),
  /** By word, letter case aside; `true`, `3` and `null` are words too, and what is missing is "null". */
  verdicts: z
    .record(z.string(), meaningOf(VERDICTS))
    .default(OWN_WORDS)
    .transform(
      (table) => new Map(Object.entries(table).map(([word, meaning]) => [word.toLowerCase(), meaning])),
    ),
});
type AnswerMap = z.infer<typeof AnswerShape>;

/**
 * What a number with a text says. `who` completes the sentence of the Fault (ANSWER_OUTCOME, ANSWER_INVALID) thrown when
 * it says nothing, such as "grep-scan ended with exit code 3".
 */
export function findingOfAnswer(
  said: { readonly outcome: number; readonly text: string; readonly who: string },
  outcomes: Outcomes,
  map: AnswerMap,
): Finding {
  const meaning = outcomes[said.outcome];
  if (meaning === undefined) throw new Fault("ANSWER_OUTCOME", `${said.who}: ${excerpt(said.text)}.`);
  const { verdict, ...rest } = meaning;
  return verdict === "answer" ? parseAnswer(said.text, map) : { verdict, ...rest };
}

/** The finding that a JSON text holds. Throws Fault ANSWER_INVALID, with the beginning of the text. */
export function parseAnswer(text: string, map: AnswerMap): Finding {
  const invalid = (why: string) => new Fault("ANSWER_INVALID", `The answer ${why}: ${excerpt(text)}.`);
  let document: unknown;
  try {
    document = JSON.parse(withoutByteOrderMark(text));
  } catch {
    throw invalid("is not JSON");
  }
  const word = valueAt(document, map.verdict) ?? null;
  const meaning =
    typeof word === "object" && word !== null ? undefined : map.verdicts.get(String(word).toLowerCase());
  if (meaning === undefined) throw invalid(`has no known verdict at "${map.verdict}"`);
  const confidence = valueAt(document, map.confidence) ?? undefined;
  if (confidence !== undefined && !isWithin(confidence, map.confidenceMax))
    throw invalid(`has no number from 0 to ${map.confidenceMax} at "${map.confidence}"`);
  const family = textAt(document, map.family);
  const detail = textAt(document, map.detail);
  const metadata = valueAt(document, map.metadata);
  return {
    ...meaning,
    ...(confidence === undefined ? {} : { confidence: confidence / map.confidenceMax }),
    ...(family === undefined ? {} : { family }),
    ...(detail === undefined ? {} : { detail }),
    ...(isRecord(metadata) ? { metadata } : {}),
  };
}

/** Programs and editors of Windows begin text with one; JSON knows none. */
export const withoutByteOrderMark = (text: string): string => text.replace(/^\uFEFF/, "");

/** What a JSON pointer points to; `undefined` when there is nothing. */
export function valueAt(document: unknown, path: string): unknown {
  const steps = path.split("/").slice(1);
  return steps.reduce((value: unknown, step) => {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) return /^(?:0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined;
    return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }, document);
}

/** The beginning of a stranger's text, fit for one line of a log. */
export function excerpt(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
  if (line === "") return "it said nothing";
  return `"${line.length > 120 ? `${line.slice(0, 120)}…` : line}"`;
}

const isWithin = (value: unknown, most: number): value is number =>
  typeof value === "number" && value >= 0 && value <= most;

function textAt(document: unknown, path: string): string | undefined {
  const value = valueAt(document, path);
  return typeof value === "string" && value !== "" ? value : undefined;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
