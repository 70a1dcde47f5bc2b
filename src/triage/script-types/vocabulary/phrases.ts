/**
 * Phrases: rows of tokens that tell a language. Written as text, a blank between the parts:
 *
 *     createobject (      these two, with blanks between them or none
 *     $ ~env ~:           `~`: nothing between it and the part before
 *     ^ end sub|function  `^`: the next part begins a line; `|`: either
 *     dim <word>          `<word>` any word, `<number>` any number, `<end>` the end of a line
 *
 * The first part says which word or sign it begins with.
 */
import type { Tokens } from "./tokens.ts";

interface Part {
  /** The tokens that it may be; `undefined` for any of a kind. */
  readonly wanted: readonly string[] | undefined;
  readonly matches: (token: string) => boolean;
  readonly glued: boolean;
}

export interface Phrase {
  readonly first: readonly string[];
  readonly opensLine: boolean;
  readonly rest: readonly Part[];
}

const isWord = (token: string): boolean => /^[a-z_]/.test(token);

export function readTokenPhrase(text: string): Phrase {
  const parts = text.split(" ");
  const opensLine = parts[0] === "^" && parts.length > 1;
  const [first, ...rest] = opensLine ? parts.slice(1) : parts;
  return { first: alternatives(first!), opensLine, rest: rest.map(readPart) };
}

function readPart(text: string): Part {
  const glued = text.startsWith("~") && text.length > 1;
  const bare = glued ? text.slice(1) : text;
  if (bare === "<word>") return { wanted: undefined, matches: isWord, glued };
  if (bare === "<number>") return { wanted: ["0"], matches: (token) => token === "0", glued };
  if (bare === "<end>") return { wanted: ["\n"], matches: (token) => token === "\n", glued };
  const wanted = alternatives(bare);
  return { wanted, matches: (token) => wanted.includes(token), glued };
}

const alternatives = (text: string): readonly string[] => (text === "|" ? [text] : text.split("|"));

/** Whether the phrase stands at a token, which is known to be one of its first. The end of the text ends a line. */
export function standsAt({ opensLine, rest }: Phrase, { texts, glued }: Tokens, at: number): boolean {
  if (opensLine && at > 0 && texts[at - 1] !== "\n") return false;
  return rest.every((part, index) => {
    const next = at + 1 + index;
    return part.matches(texts[next] ?? "\n") && (!part.glued || glued[next] === true);
  });
}
