/**
 * Words and signs of a text, whatever language it is in: what a vocabulary is matched against. One pass, in proportion to
 * the text.
 */

export interface Tokens {
  /** Lower case; a sign is one character but for `==`, `!==` and the like, the end of a line `\n`. A number is `0`, a name like `_0x1f2a` is `_0x`. */
  readonly texts: readonly string[];
  /** For each, whether nothing stands between it and the one before. */
  readonly glued: readonly boolean[];
}

/** No word of a vocabulary is longer: a word beyond that is cut, and matches none. */
const LONGEST_WORD = 40;

const TOKEN = /[A-Za-z_][A-Za-z0-9_]*|[0-9][A-Za-z0-9_]*|\n|!?=+|[^\sA-Za-z0-9_]/g;
const NAME_OF_OBFUSCATORS = /^_0x[0-9a-f]+$/i;
/** PowerShell and cmd skip these signs within words, and so are words cut up. */
const CUT_WORD = /(?<=[A-Za-z])[`^](?=[A-Za-z])/g;

export function readTokens(text: string): Tokens {
  const texts: string[] = [];
  const glued: boolean[] = [];
  let end = -1;
  for (const { 0: token, index } of text.replace(CUT_WORD, "").matchAll(TOKEN)) {
    texts.push(nameOf(token));
    glued.push(index === end);
    end = index + token.length;
  }
  return { texts, glued };
}

function nameOf(token: string): string {
  const code = token.charCodeAt(0);
  if (code >= 0x30 && code <= 0x39) return "0";
  const word = token.length > LONGEST_WORD ? token.slice(0, LONGEST_WORD + 1) : token;
  return NAME_OF_OBFUSCATORS.test(word) ? "_0x" : word.toLowerCase();
}
