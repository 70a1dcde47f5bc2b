/**
 * Patterns that YARA-X matches less often than YARA: a regular expression that begins with "any number of anything" is
 * found only where something stands before the rest on the same line.
 */
import { outlineOf } from "../yara-outline.ts";
import { placeOf, type RuleText } from "../yara-rules.ts";

/** `.` or `[^\n]`, which may be nothing at all: `.*`, `.?`, `.{0,5}`, also as a group of its own. */
const LEADING = /^\/\(*(?:\.|\[\^(?:\\r)?\\n(?:\\r)?\])(?:\*|\?|\{0?,\d*\})/;

/** A sentence for each such pattern. */
export function leadingDotsIn(texts: readonly RuleText[]): readonly string[] {
  return texts.flatMap((text) => {
    // Most rule files have none, and an outline takes its time.
    if (!/=\s*\/\(*[.[]/.test(text.text)) return [];
    return outlineOf(text.text)
      .expressions.filter((expression) => LEADING.test(expression.text))
      .map(({ rule, text: pattern, start }) => {
        const line = text.text.slice(0, start).split("\n").length;
        const shown = pattern.length > 60 ? `${pattern.slice(0, 60)}…` : pattern;
        return `${placeOf(text, line)}: rule ${rule}: YARA-X finds ${shown} only where something stands before the rest on the same line; leave out what it begins with.`;
      });
  });
}
