/**
 * How much of a text is written for people: documentation shows code in all languages and is none of it. Comments count as
 * code, because scripts begin with them.
 */

/** Lines beyond these say nothing new. */
const MOST_LINES = 2000;
const LONGEST_LINE = 400;
/** Five words in a row with nothing but blanks and commas between them. */
const SENTENCE = /(?:[A-Za-z][a-z']*,? ){4}[A-Za-z]/;
/** How lines of comments and of strings begin in any of the languages. */
const COMMENT = /^\s*(?:'|#|\/\/|\*|\/\*|;|--|<!--|::|@?rem\b|"""|<#|echo\b|@?echo\b)/i;
const FENCE = /^\s{0,3}(?:```|~~~)/;
/** A heading of Markdown, which is a comment elsewhere, counts as prose only beside fences. */
const BLOCKS: readonly (readonly [open: string, close: string])[] = [
  ["<#", "#>"],
  ["/*", "*/"],
  ['"""', '"""'],
  ["'''", "'''"],
];

/** 0 to 1: the share of sentences and of fenced examples among the lines that are not blank. */
export function proseShare(text: string): number {
  let lines = 0;
  let prose = 0;
  let fenced = false;
  let fences = 0;
  for (const line of withoutBlocks(text).split("\n", MOST_LINES)) {
    const shown = line.slice(0, LONGEST_LINE);
    if (shown.trim() === "") continue;
    lines++;
    if (FENCE.test(shown)) {
      fenced = !fenced;
      fences++;
      prose++;
    } else if (fenced || (!COMMENT.test(shown) && SENTENCE.test(shown))) prose++;
  }
  // What is outside of the fences decides: a fence in a comment hides nothing.
  return lines === 0 ? 0 : fences > 1 ? Math.max(prose / lines, 0.5) : prose / lines;
}

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
