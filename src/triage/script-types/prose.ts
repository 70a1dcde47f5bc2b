/**
 * How much of a text is written for people: documentation shows code in all languages and is none of it. Comments count as
 * code, because scripts begin with them.
 */

/** Lines beyond these say nothing new. */
const MOST_LINES = 2000;
const LONGEST_LINE = 400;
/** Five words in a row with nothing but blanks and commas between them. */
const SENTENCE = /(?:[A-Za-z][a-z']*,? ){4}[A-Za-z]/;
const CODE_SIGNS = /[=;{}$|\\]|\(["')]|[\w)]\(|:$/;
/** How lines of comments and of strings begin in any of the languages. */
const COMMENT = /^\s*(?:'|#|\/\/|\*|\/\*|;|--|<!--|::|@?rem\b|"""|<#|echo\b|@?echo\b)/i;
const FENCE = /^\s{0,3}(?:```|~~~)/;
const BLOCKS: readonly (readonly [open: string, close: string])[] = [
  ["<#", "#>"],
  ["/*", "*/"],
  ['"""', '"""'],
  ["'''", "'''"],
];

export interface Writing {
  /** 0 to 1: the share of sentences among the lines that are not blank. */
  readonly proseShare: number;
  /** Without the fenced examples of a document, where it has any: what it shows is not what it is. */
  readonly code: string;
}

export function readWriting(text: string): Writing {
  const bare = withoutBlocks(text);
  let lines = 0;
  let prose = 0;
  let fenced = false;
  let fences = 0;
  const outside: string[] = [];
  for (const line of bare.split("\n", MOST_LINES)) {
    const shown = line.slice(0, LONGEST_LINE);
    if (shown.trim() === "") continue;
    if (FENCE.test(shown)) {
      fenced = !fenced;
      fences++;
    } else if (!fenced) {
      lines++;
      outside.push(line);
      if (!COMMENT.test(shown) && !CODE_SIGNS.test(shown) && SENTENCE.test(shown)) prose++;
    }
  }
  // A fence within a comment has gone with it, so nothing hides in one.
  const document = fences > 1;
  return {
    proseShare: lines === 0 ? 0 : Math.max(prose / lines, document ? LEAST_OF_DOCUMENT : 0),
    code: document ? outside.join("\n") : text,
  };
}

const LEAST_OF_DOCUMENT = 0.5;

/** Without comments and texts of several lines. One pass. */
function withoutBlocks(text: string): string {
  const kept: string[] = [];
  let at = 0;
  while (at < text.length) {
    const next = nextBlock(text, at);
    if (next === undefined) break;
    kept.push(text.slice(at, next.start));
    at = next.end;
  }
  kept.push(text.slice(at));
  return kept.join("");
}

const OPENING = /<#|\/\*|"""|'''/g;

function nextBlock(text: string, from: number): { readonly start: number; readonly end: number } | undefined {
  OPENING.lastIndex = from;
  const found = OPENING.exec(text);
  if (found === null) return undefined;
  const [, close] = BLOCKS.find(([open]) => open === found[0])!;
  const end = text.indexOf(close, found.index + found[0].length);
  // What is never closed is not skipped, or one sign would hide the rest.
  if (end === -1) return { start: found.index, end: found.index + found[0].length };
  return { start: found.index, end: end + close.length };
}
