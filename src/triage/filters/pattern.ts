/**
 * Regular expressions over text that a stranger wrote. JavaScript's own backtrack: one that takes microseconds on
 * honest text can be made to take hours, in the process that holds the wallet. Here all ways to match are followed at
 * once, character by character (Thompson's construction), so that a search takes at most steps of the pattern times
 * characters of the text, for any pattern and any text.
 */
import { type PatternNode, parsePattern } from "./pattern-syntax.ts";

/** Characters of a text that are searched, from its beginning. */
export const SEARCHED_CHARS = 4_096;
/** Steps of a compiled pattern. With the characters above, the worst search takes tenths of a second, an ordinary one less than a millisecond. */
export const MAX_PATTERN_STEPS = 1_000;

interface Pattern {
  /** Whether it matches anywhere in the first `SEARCHED_CHARS` characters. */
  search(text: string): boolean;
}

type Step =
  | Extract<PatternNode, { kind: "char" | "edge" }>
  /** Goes on at each of these at once. */
  | { readonly kind: "fork"; readonly to: number[] }
  | { readonly kind: "match" };

/** Throws RangeError for what `parsePattern` does not understand, and for a pattern that is too large. */
export function compilePattern(source: string): Pattern {
  const steps: Step[] = [];
  emit(parsePattern(source), steps);
  push(steps, { kind: "match" });
  return { search: (text) => search(steps, [...text.slice(0, 2 * SEARCHED_CHARS)].slice(0, SEARCHED_CHARS)) };
}

function push(steps: Step[], step: Step): void {
  if (steps.length >= MAX_PATTERN_STEPS)
    throw new RangeError("it is too large: repetitions count as often as they repeat");
  steps.push(step);
}

/** Appends a node; it begins where `steps` ended and goes on where `steps` ends then. */
function emit(node: PatternNode, steps: Step[]): void {
  switch (node.kind) {
    case "char":
    case "edge":
      push(steps, node);
      break;
    case "sequence":
      for (const part of node.parts) emit(part, steps);
      break;
    case "choice":
      emitChoice(node.options, steps);
      break;
    case "repeat":
      emitRepeat(node, steps);
  }
}

function emitChoice(options: readonly PatternNode[], steps: Step[]): void {
  const into: number[] = [];
  const out: number[][] = [];
  push(steps, { kind: "fork", to: into });
  for (const option of options) {
    into.push(steps.length);
    emit(option, steps);
    const end: number[] = [];
    push(steps, { kind: "fork", to: end });
    out.push(end);
  }
  for (const end of out) end.push(steps.length);
}

function emitRepeat({ part, least, most }: Extract<PatternNode, { kind: "repeat" }>, steps: Step[]): void {
  for (let time = 0; time < least; time++) emitPart(part, steps);
  if (most === Number.POSITIVE_INFINITY) {
    const fork: number[] = [steps.length + 1];
    const start = steps.length;
    push(steps, { kind: "fork", to: fork });
    emit(part, steps);
    push(steps, { kind: "fork", to: [start] });
    fork.push(steps.length);
    return;
  }
  const skips: number[][] = [];
  for (let time = least; time < most; time++) {
    const fork: number[] = [steps.length + 1];
    push(steps, { kind: "fork", to: fork });
    skips.push(fork);
    emit(part, steps);
  }
  for (const skip of skips) skip.push(steps.length);
}

/** A part without steps, such as an empty group, would let a count of billions run without ever being too large. */
function emitPart(part: PatternNode, steps: Step[]): void {
  const before = steps.length;
  emit(part, steps);
  if (steps.length === before) push(steps, { kind: "fork", to: [steps.length + 1] });
}

function search(steps: readonly Step[], chars: readonly string[]): boolean {
  const reachedAt = new Int32Array(steps.length).fill(-1);
  let now: number[] = [];
  for (let at = 0; at <= chars.length; at++) {
    // A match may begin anywhere.
    const open = [0, ...now];
    const waiting: number[] = [];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (reachedAt[index] === at) continue;
      reachedAt[index] = at;
      const step = steps[index]!;
      if (step.kind === "match") return true;
      if (step.kind === "char") waiting.push(index);
      else if (step.kind === "fork") {
        for (const next of step.to) open.push(next);
      } else if (step.holds(chars, at)) open.push(index + 1);
    }
    const char = chars[at];
    if (char === undefined) return false;
    now = waiting
      .filter((index) => (steps[index] as Extract<Step, { kind: "char" }>).matches(char))
      .map((index) => index + 1);
  }
  return false;
}
