/** Readers of `--filter` and `--confidence`: everything that can be wrong with one is found at the start. */
import { z } from "zod";
import { type Condition, type Filter, parseCondition } from "../../triage/filters/filter.ts";
import type { Modifier } from "../../triage/filters/modifier.ts";
import { parsePhrase } from "./phrases.ts";

export const filter = phraseOf(
  ["accept", "reject"],
  "accept|reject FIELD COMPARISON VALUE, such as reject mimetype == text/html",
  (decision, condition): Filter => ({ decision, condition }),
);

export const modifier = phraseOf(
  ["favor", "penalize"],
  "favor|penalize FIELD COMPARISON VALUE, such as favor mimetype startswith text/",
  (effect, condition): Modifier => ({ effect, condition }),
);

function phraseOf<Word extends string, T>(
  words: readonly Word[],
  right: string,
  make: (word: Word, condition: Condition) => T,
): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const refuse = (why: string): never => {
      context.addIssue({ code: "custom", message: why });
      return z.NEVER;
    };
    const phrase = parsePhrase(text);
    const word = words.find((candidate) => candidate === phrase?.[0]);
    if (phrase === undefined || word === undefined) return refuse(right);
    const [, field, comparison, value] = phrase;
    try {
      return make(word, parseCondition(field, comparison, value));
    } catch (error) {
      return refuse(`a condition ${(error as Error).message}`);
    }
  });
}
