/** The languages of a text that is neither marked up nor says by its first line what it is. */
import { readWriting } from "./prose.ts";
import { readTokens } from "./vocabulary/tokens.ts";
import { compileLexicon, scoreTokens } from "./vocabulary/vocabulary.ts";
import { BATCH } from "./words/batch.ts";
import { JAVASCRIPT } from "./words/javascript.ts";
import { POWERSHELL } from "./words/powershell.ts";
import { PYTHON } from "./words/python.ts";
import { SHELL } from "./words/shell.ts";
import { VBSCRIPT } from "./words/vbscript.ts";

const LEXICON = compileLexicon([VBSCRIPT, POWERSHELL, JAVASCRIPT, PYTHON, BATCH, SHELL]);

/** The least score of a text of at most so many tokens; set on the tuning half of the corpus, see docs/file-types.md. */
const LEAST: readonly (readonly [tokens: number, score: number])[] = [
  [60, 3],
  [300, 4],
  [4000, 5],
  [Number.POSITIVE_INFINITY, 6],
];
/** By how much more documentation must show. */
const PROSE_FACTOR = 3;
/** Of the best score; a text that two interpreters run has words of both. */
const SECOND_SHARE = 0.7;

interface LanguageScores {
  /** Score by type, the best first; those that are high enough. */
  readonly found: readonly (readonly [type: string, score: number])[];
  /** Comparisons made: the measure of the work. */
  readonly steps: number;
}

export function scoreLanguages(text: string): LanguageScores {
  const { proseShare, code } = readWriting(text);
  const tokens = readTokens(code);
  const { byType, steps } = scoreTokens(LEXICON, tokens);
  const ranked = [...byType].toSorted(([, a], [, b]) => b - a);
  const best = ranked[0]?.[1] ?? 0;
  const least = leastFor(tokens.texts.length) * (1 + PROSE_FACTOR * proseShare);
  return { found: ranked.filter(([, score]) => score >= least && score >= best * SECOND_SHARE), steps };
}

const leastFor = (tokens: number): number => LEAST.find(([most]) => tokens <= most)![1];

/** MIME types, the likeliest first. */
export const languagesOf = (text: string): readonly string[] =>
  scoreLanguages(text).found.map(([type]) => type);
