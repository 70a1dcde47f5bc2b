/**
 * Which languages a text is written in, by their vocabularies: each phrase of a language that stands in the text counts
 * once, by its weight, and so do those that speak against it.
 */
import { type Phrase, readTokenPhrase, standsAt } from "./phrases.ts";
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

interface Scores {
  /** By type, of those that have any. */
  readonly byType: ReadonlyMap<string, number>;
  /** Comparisons that were made: the measure of the work. */
  readonly steps: number;
}

/** Cues by the token that they begin with, and by the next one where they name it. */
interface Beginning {
  readonly byNext: Map<string, Cue[]>;
  readonly others: Cue[];
}

interface Lexicon {
  readonly beginnings: ReadonlyMap<string, Beginning>;
}

export function compileLexicon(vocabularies: readonly Vocabulary[]): Lexicon {
  const beginnings = new Map<string, Beginning>();
  for (const { type, phrases } of vocabularies) {
    for (const [weight, texts] of phrases) {
      for (const text of texts) addCue(beginnings, { phrase: readTokenPhrase(text), weight, type });
    }
  }
  return { beginnings };
}

function addCue(beginnings: Map<string, Beginning>, cue: Cue): void {
  const next = cue.phrase.rest[0]?.wanted;
  for (const first of cue.phrase.first) {
    const beginning = beginnings.get(first) ?? { byNext: new Map<string, Cue[]>(), others: [] };
    beginnings.set(first, beginning);
    if (next === undefined) beginning.others.push(cue);
    for (const token of next ?? []) {
      const cues = beginning.byNext.get(token) ?? [];
      cues.push(cue);
      beginning.byNext.set(token, cues);
    }
  }
}

/** A cue that was found is not looked for again. The work is in proportion to the tokens, whatever they are. */
export function scoreTokens({ beginnings }: Lexicon, tokens: Tokens): Scores {
  const byType = new Map<string, number>();
  const found = new Set<Cue>();
  let steps = 0;
  const tryCues = (cues: readonly Cue[], at: number): void => {
    for (const cue of cues) {
      if (found.has(cue)) continue;
      steps++;
      if (!standsAt(cue.phrase, tokens, at)) continue;
      found.add(cue);
      byType.set(cue.type, (byType.get(cue.type) ?? 0) + cue.weight);
    }
  };
  for (let at = 0; at < tokens.texts.length; at++) {
    steps++;
    const beginning = beginnings.get(tokens.texts[at]!);
    if (beginning === undefined) continue;
    tryCues(beginning.byNext.get(tokens.texts[at + 1] ?? "\n") ?? [], at);
    tryCues(beginning.others, at);
  }
  return { byType, steps };
}
