/**
 * Which languages a text is written in, by their vocabularies: each phrase of a language that stands in the text counts
 * once, by its weight, and so do those that speak against it.
 */
import { type Phrase, readPhrase, standsAt } from "./phrases.ts";
import type { Tokens } from "./tokens.ts";

export interface Vocabulary {
  /** MIME type. */
  readonly type: string;
  /** Phrases (phrases.ts) by what each is worth; below zero what code of the language does not have. */
  readonly phrases: readonly (readonly [weight: number, phrases: readonly string[]])[];
}

interface Cue {
  readonly phrase: Phrase;
  readonly weight: number;
  readonly type: string;
}

export interface Scores {
  /** By type, of those that have any. */
  readonly byType: ReadonlyMap<string, number>;
  /** Comparisons that were made: the measure of the work. */
  readonly steps: number;
}

export interface Lexicon {
  readonly cuesBy: ReadonlyMap<string, readonly Cue[]>;
}

export function compileLexicon(vocabularies: readonly Vocabulary[]): Lexicon {
  const cues = vocabularies.flatMap(({ type, phrases }) =>
    phrases.flatMap(([weight, texts]) => texts.map((text) => ({ phrase: readPhrase(text), weight, type }))),
  );
  const cuesBy = new Map<string, Cue[]>();
  for (const cue of cues) {
    for (const first of cue.phrase.first) cuesBy.set(first, [...(cuesBy.get(first) ?? []), cue]);
  }
  return { cuesBy };
}

/** A cue that was found is not looked for again. The work is in proportion to the tokens, whatever they are. */
export function scoreTokens({ cuesBy }: Lexicon, tokens: Tokens): Scores {
  const byType = new Map<string, number>();
  const found = new Set<Cue>();
  let steps = 0;
  for (const [at, token] of tokens.texts.entries()) {
    steps++;
    for (const cue of cuesBy.get(token) ?? []) {
      if (found.has(cue)) continue;
      steps++;
      if (!standsAt(cue.phrase, tokens, at)) continue;
      found.add(cue);
      byType.set(cue.type, (byType.get(cue.type) ?? 0) + cue.weight);
    }
  }
  return { byType, steps };
}
