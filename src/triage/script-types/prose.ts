/**
 * How much of a text is written for people: documentation shows code in all languages and is none of it. Comments count as
 * code, because scripts begin with them.
 */

/** Lines beyond these say nothing new. */
const MOST_LINES = 2000;
const LONGEST_LINE = 400;
/** Five words in a row with nothing but blanks and commas between them. */
const SENTENCE = /(?<![A-Za-z'])(?:[A-Za-z][a-z']*,? ){4}[A-Za-z]/;
const CODE_SIGNS = /[=;{}$|\\]|\(["')]|[\w)]\(|:$/;
/** From its capital to its full stop, whatever signs of code it shows. */
const WHOLE_SENTENCE = /^\s{0,8}[A-Z][a-z'].*[a-z)]\.\s*$/;
/** A command and its words, which are no sentence. */
const COMMAND = /^\s*@?(?:wmic|netsh|schtasks|bcdedit|vssadmin|wevtutil|icacls)\s/i;
/** How lines of comments and of strings begin in any of the languages. */
const COMMENT = /^\s*(?:'|#|\/\/|\*|\/\*|;|--|<!--|::|@?rem\b|"""|<#|echo\b|@?echo\b)/i;
const FENCE = /^\s{0,3}(?:```|~~~)/;
const CLOSING: Readonly<Record<string, string>> = { "<#": "#>", "/*": "*/", '"""': '"""', "'''": "'''" };

interface Writing {
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
      if (isProse(shown)) prose++;
    }
  }
  // A fence within a comment has gone with it, so nothing hides in one.
  const document = fences > 1;
  return {
    proseShare: lines === 0 ? 0 : Math.max(prose / lines, document ? LEAST_OF_DOCUMENT : 0),
    code: document ? outside.join("\n") : text,
  };
}

const isProse = (line: string): boolean =>
  SENTENCE.test(line) &&
  !COMMENT.test(line) &&
  !COMMAND.test(line) &&
  (WHOLE_SENTENCE.test(line) || !CODE_SIGNS.test(line));

const LEAST_OF_DOCUMENT = 0.5;

const OPENING = /<#|\/\*|"""|'''/g;

/**
 * Without comments and texts of several lines. What is never closed is not left out, or one sign would hide the rest. In
 * one pass: a sign that closes nothing any more is not looked for again.
 */
function withoutBlocks(text: string): string {
  const kept: string[] = [];
  const missing = new Set<string>();
  let at = 0;
  OPENING.lastIndex = 0;
  for (let found = OPENING.exec(text); found !== null; found = OPENING.exec(text)) {
    const close = CLOSING[found[0]]!;
    const end = missing.has(close) ? -1 : text.indexOf(close, OPENING.lastIndex);
    if (end === -1) {
      missing.add(close);
      continue;
    }
    kept.push(text.slice(at, found.index));
    at = end + close.length;
    OPENING.lastIndex = at;
  }
  kept.push(text.slice(at));
  return kept.join("");
}
