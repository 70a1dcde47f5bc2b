/**
 * Patterns that YARA-X matches less often than YARA: a regular expression that begins with "any number of anything" is
 * found only where something stands before the rest on the same line.
 */
import { outlineOf } from "./outline.ts";
import { placeOf, type RuleText } from "./rules.ts";

/**
 * `.`, `[^\n]` or `[\s\S]`, which may be nothing at all: `.*`, `.?`, `.{0,5}`, also as a group of its own, behind the groups
 * that it opens.
 */
const LEADING =
  /^\/(?:\(\?s\))?((?:\((?:\?:)?)*)(?:\.|\[\^\\n\]|\[\\(?:s\\S|S\\s|w\\W|W\\w|d\\D|D\\d)\]|\[\\x00-\\xff\])(?:\*|\?|\{0?,\d*\})/i;
/** What stands further on does not change what an expression begins with. */
const MOST_CHARACTERS = 4096;
/** Escaped signs and classes, which say nothing of the order of groups. */
const OPAQUE = /\\.|\[\^?\]?(?:\\.|[^\]\\])*\]/g;

/** Whether the expression must begin so: not where that is one of several ways, or a group that is repeated or left out. */
function mustBeginSo(expression: string): boolean {
  const found = LEADING.exec(expression);
  if (found === null) return false;
  const rest = expression.slice(found[0].length, found[0].length + MOST_CHARACTERS).replace(OPAQUE, "x");
  let depth = found[1]!.replaceAll("?:", "").length;
  let least = depth;
  for (let at = 0; at < rest.length; at++) {
    if (rest[at] === "(") depth++;
    else if (rest[at] === "|" && depth === least) return false;
    else if (rest[at] === ")" && --depth < least) {
      least = depth;
      if (/[*+?{]/.test(rest[at + 1] ?? "")) return false;
    }
  }
  return true;
}

/** A sentence for each such pattern. */
export function leadingDotsIn(texts: readonly RuleText[]): readonly string[] {
  return texts.flatMap((text) => {
    // Most rule files have none, and an outline takes its time.
    if (!/=\s*\/[(?:s)]*[.[]/.test(text.text)) return [];
    return outlineOf(text.text)
      .expressions.filter((expression) => mustBeginSo(expression.text))
      .map(({ rule, text: pattern, start }) => {
        const line = text.text.slice(0, start).split("\n").length;
        const shown = pattern.length > 60 ? `${pattern.slice(0, 60)}…` : pattern;
        return `${placeOf(text, line)}: rule ${rule}: YARA-X finds ${shown} only where something stands before the rest on the same line; leave out what it begins with.`;
      });
  });
}
