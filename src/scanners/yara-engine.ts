/**
 * The port to what runs YARA rules. Two implementations, which one contract test holds to the same: `yara-wasm.ts` and
 * `yara-native.ts`.
 */
import { describeError } from "../domain/fault.ts";
import { invalidRules, placeOf, type RuleText } from "./yara-rules.ts";

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

/** Throws ConfigFault YARA_RULES_INVALID naming file and line. */
export type CompileRules = (texts: readonly RuleText[]) => RuleEngine;

/**
 * Matches of one pattern that are counted. Without a limit, 5 MB of one letter keep the pattern "a" busy for minutes.
 * A condition such as `#a > 1000` is never true.
 */
export const MAX_MATCHES_PER_PATTERN = 1_000;

/** What a compiler says, as one line. `line`: what is to be added to its line numbers. */
export function compileFault(text: RuleText, error: unknown, line = 0) {
  const said = error instanceof Error ? error.message : String(error);
  const [, title = said.split("\n", 1)[0]!] = /error\[E\d+\]: (.*)/.exec(said) ?? [];
  const [, at = "1"] = /--> line:(\d+)/.exec(said) ?? [];
  const [, label] = /\|\s+\^+ (.+)/.exec(said) ?? [];
  const why = label === undefined ? title : `${title}: ${label}`;
  return invalidRules(
    `The YARA rules do not compile: ${placeOf(text, Number(at) + line)}: ${describeError(new Error(why))}.`,
    error,
  );
}
