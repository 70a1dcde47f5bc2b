import { describeError } from "../../domain/fault.ts";
import { withoutBroken } from "./cut.ts";
import { type CompileProblem, type RuleEngine, UncompilableRules } from "./engine.ts";
import type { RulesImage } from "./image.ts";
import { type RuleText, ruleCount } from "./rules.ts";

/**
 * From this many rules on the native engine is asked first. Below, WebAssembly takes some 6 to 15 ms a scan, which no
 * bounty notices, and keeps what hostile files may break in its own memory; beyond, it takes 33 us more with each rule.
 */
export const LARGE_RULE_SET = 300;

/** What becomes of rules that do not compile: they refuse the set, or it goes on without them. */
export type OnBroken = "refuse" | "skip";

export interface CompileOptions {
  /** Default: refuse. */
  readonly onBroken?: OnBroken;
  /** Which engines may be tried. The native one cannot take over what another process has compiled. Default: both. */
  readonly engines?: "both" | "wasm";
  /** Of the same texts, by another process that ran the same program. */
  readonly image?: RulesImage | undefined;
}

export interface Compiled {
  readonly engine: RuleEngine;
  /** Why a large set does not run natively, when it does not. */
  readonly why?: string;
  /** For other processes; `undefined` when there is none, or when it was used here. */
  readonly image?: RulesImage | undefined;
  /** What is compiled: what was asked for, less what was skipped. */
  readonly texts: readonly RuleText[];
  readonly skipped: readonly CompileProblem[];
}

/**
 * Compiles with the engine that suits the number of rules. The native one is never needed: where it is not installed, may
 * not be loaded, or does not take the rules, WebAssembly does it, and what it does not take is broken.
 * Throws UncompilableRules with all that do not compile; with "skip" only when no rule is left.
 */
export async function compileRules(
  texts: readonly RuleText[],
  options: CompileOptions = {},
): Promise<Compiled> {
  const skipped: CompileProblem[] = [];
  for (let rest = texts; ; ) {
    try {
      // An image is of the whole.
      const image = rest === texts ? options.image : undefined;
      return { ...(await compileOnce(rest, { ...options, image })), texts: rest, skipped };
    } catch (error) {
      if (options.onBroken !== "skip" || !(error instanceof UncompilableRules)) throw error;
      const { problems } = error;
      for (const problem of problems) skipped.push(problem);
      rest = withoutBroken(rest, problems);
      if (ruleCount(rest) === 0) throw new UncompilableRules(skipped);
    }
  }
}

async function compileOnce(
  texts: readonly RuleText[],
  { engines, image }: CompileOptions,
): Promise<Pick<Compiled, "engine" | "why" | "image">> {
  let native: { readonly why?: string } = {};
  if (ruleCount(texts) >= LARGE_RULE_SET && engines !== "wasm") {
    try {
      const { compileNative } = await import("./native.ts");
      return { engine: compileNative(texts) };
    } catch (error) {
      native = { why: describeError(error).slice(0, 300) };
    }
  }
  const { compileWithImage, openImage } = await import("./wasm.ts");
  const opened = image === undefined ? undefined : openImage(image, texts);
  return opened === undefined ? { ...compileWithImage(texts), ...native } : { engine: opened, ...native };
}
