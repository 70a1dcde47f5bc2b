/** Rules without those that do not compile, so that the rest can be used. */
import type { CompileProblem } from "./engine.ts";
import { outlineOf } from "./outline.ts";
import type { RuleText } from "./rules.ts";

/**
 * The texts with blanks where something was found wrong: the whole rule, import or include that it is in. What is in
 * none of them costs its text all rules. Lines stay where they are.
 */
export function withoutBroken(
  texts: readonly RuleText[],
  problems: readonly CompileProblem[],
): readonly RuleText[] {
  return texts.map((text) => {
    const own = problems.filter((problem) => problem.in === text);
    return own.length === 0 ? text : cut(text, own);
  });
}

function cut(text: RuleText, problems: readonly CompileProblem[]): RuleText {
  const starts = outlineOf(text.text).statements.map(({ start }) => start);
  const offsets = lineOffsets(text.text);
  const broken = new Set(
    problems.map(({ line, column }) => {
      const offset = (offsets[line - 1] ?? text.text.length) + column - 1;
      return starts.findLastIndex((start) => start <= offset);
    }),
  );
  if (broken.has(-1)) return { ...text, text: blank(text.text), rules: [] };
  let rest = text.text.slice(0, starts[0]);
  for (const [index, start] of starts.entries()) {
    const part = text.text.slice(start, starts[index + 1]);
    rest += broken.has(index) ? blank(part) : part;
  }
  // What was cut already and is still complained of is beyond this.
  if (rest === text.text) return { ...text, text: blank(text.text), rules: [] };
  const rules = outlineOf(rest).rules.map(({ name, global }) => ({ name, global }));
  return { ...text, text: rest, rules };
}

function lineOffsets(text: string): readonly number[] {
  const offsets = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) offsets.push(at + 1);
  return offsets;
}

const blank = (text: string): string => text.replaceAll(/[^\n]/g, " ");
