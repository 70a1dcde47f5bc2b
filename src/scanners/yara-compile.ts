import { describeError } from "../domain/fault.ts";
import type { RuleEngine } from "./yara-engine.ts";
import { type RuleText, ruleCount } from "./yara-rules.ts";

/**
 * From this many rules on the native engine is asked first. Below, WebAssembly takes some 6 to 15 ms a scan, which no
 * bounty notices, and keeps what hostile files may break in its own memory; beyond, it takes 33 us more with each rule.
 */
export const LARGE_RULE_SET = 300;

export interface Compiled {
  readonly engine: RuleEngine;
  /** Why a large set does not run natively, when it does not. */
  readonly why?: string;
}

/**
 * Compiles with the engine that suits the number of rules. The native one is never needed: where it is not installed, may
 * not be loaded, or does not take the rules, WebAssembly does it.
 * Throws ConfigFault YARA_RULES_INVALID naming file and line.
 */
export async function compileRules(texts: readonly RuleText[]): Promise<Compiled> {
  let why: string | undefined;
  if (ruleCount(texts) >= LARGE_RULE_SET) {
    try {
      const { compileNative } = await import("./yara-native.ts");
      return { engine: compileNative(texts) };
    } catch (error) {
      why = describeError(error).slice(0, 300);
    }
  }
  const { compileWasm } = await import("./yara-wasm.ts");
  const engine = compileWasm(texts);
  return why === undefined ? { engine } : { engine, why };
}
