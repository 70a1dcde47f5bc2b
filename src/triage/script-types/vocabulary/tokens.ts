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

const NAME_OF_OBFUSCATORS = /^_0x[0-9a-f]+$/i;
/** PowerShell and cmd skip these signs within words, and so are words cut up. */
const CUT_WORD = /(?<=[A-Za-z])[`^](?=[A-Za-z])/g;

export function readTokens(text: string): Tokens {
  const texts: string[] = [];
  const glued: boolean[] = [];
  const code = text.replace(CUT_WORD, "");
  let end = -1;
  for (let at = 0; at < code.length; ) {
    const kind = kindOf(code.charCodeAt(at));
    if (kind === BLANK) {
      at++;
      continue;
    }
    const next = endOfToken(code, at, kind);
    texts.push(kind === WORD ? nameOf(code, at, next) : kind === DIGIT ? "0" : code.slice(at, next));
    glued.push(at === end);
    at = next;
    end = next;
  }
  return { texts, glued };
}

const [BLANK, WORD, DIGIT, SIGN, EQUALS, NOT] = [0, 1, 2, 3, 4, 5];

/** By character code below 128; everything above is a sign but for the blanks. */
const KINDS = Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (/[A-Za-z_]/.test(char)) return WORD;
  if (/[0-9]/.test(char)) return DIGIT;
  if (char === "=") return EQUALS;
  if (char === "!") return NOT;
  return /\s/.test(char) && char !== "\n" ? BLANK : SIGN;
});

const kindOf = (code: number): number => KINDS[code] ?? (code === 0xa0 || code === 0x3000 ? BLANK : SIGN);

/** Behind the token that begins there: a word or number, `=` in a row with a `!` before them, or one sign. */
function endOfToken(code: string, at: number, kind: number): number {
  let end = at + 1;
  if (kind === WORD || kind === DIGIT) {
    for (let next = kindOf(code.charCodeAt(end)); end < code.length; next = kindOf(code.charCodeAt(end))) {
      if (next !== WORD && next !== DIGIT) break;
      end++;
    }
  } else if (kind === EQUALS || kind === NOT) {
    while (code[end] === "=") end++;
  }
  return end;
}

function nameOf(code: string, from: number, to: number): string {
  const word = code.slice(from, Math.min(to, from + LONGEST_WORD + 1));
  return NAME_OF_OBFUSCATORS.test(word) ? "_0x" : word.toLowerCase();
}
