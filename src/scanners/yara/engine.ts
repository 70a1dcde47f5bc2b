/**
 * The port to what runs YARA rules. Two implementations, which one contract test holds to the same: `wasm.ts` and
 * `native.ts`.
 */
import { describeError } from "../../domain/fault.ts";
import { BrokenRules, type RuleProblem } from "./problem.ts";
import { placeOf, type RuleText } from "./rules.ts";

export interface RuleMatch {
  readonly rule: string;
  readonly namespace: string;
  readonly tags: readonly string[];
  /** Of a key that stands there twice, the last. */
  readonly meta: Readonly<Record<string, unknown>>;
}

/** External variables: what public rule sets expect to be defined, all of them text. */
export const EXTERNALS = ["filename", "filepath", "extension", "filetype", "owner"] as const;
export type Externals = Readonly<Record<(typeof EXTERNALS)[number], string>>;

export interface RuleEngine extends Disposable {
  /** For people and the assertion metadata: engine and version. */
  readonly name: string;
  /** Every rule that matches, without private and global ones. Blocks for as long as it takes; nothing stops it but the end of the process. */
  scan(bytes: Uint8Array, externals: Externals): readonly RuleMatch[];
}

/** Throws UncompilableRules with all that do not compile. */
export type CompileRules = (texts: readonly RuleText[]) => RuleEngine;

/**
 * Matches of one pattern that are counted. Without a limit, 5 MB of one letter keep the pattern "a" busy for minutes.
 * A condition such as `#a > 1000` is never true.
 */
export const MAX_MATCHES_PER_PATTERN = 1_000;

/** What a compiler finds wrong, and where: line and column of `text`, the first of each is 1. */
export interface CompileProblem extends RuleProblem {
  readonly in: RuleText;
  readonly line: number;
  readonly column: number;
}

export class UncompilableRules extends BrokenRules {
  declare readonly problems: readonly CompileProblem[];

  constructor(problems: readonly CompileProblem[]) {
    super(problems);
  }
}

/** Of what a compiler says. `shift` is added to its line numbers. */
export function compileProblem(text: RuleText, said: string, shift = 0): CompileProblem {
  const [, title = said.split("\n", 1)[0]!] = /error\[E\d+\]: (.*)/.exec(said) ?? [];
  const [, at = "1", column = "1"] = /--> line:(\d+):(\d+)/.exec(said) ?? [];
  const [, label] = /\|\s+\^+ (.+)/.exec(said) ?? [];
  const why = label === undefined ? title : `${title}: ${label}`;
  const line = Number(at) + shift;
  return {
    kind: "rule",
    text: `${placeOf(text, line)}: ${describeError(new Error(why))}`,
    in: text,
    line,
    column: Number(column),
  };
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
