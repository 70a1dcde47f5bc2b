/**
 * YARA rules in WebAssembly, by the makers of YARA-X: it runs where Node runs, and a hostile file that breaks it reaches
 * only its own memory. Each scan costs some milliseconds and more with every rule.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Compiler, type InitOutput, initSync, type Rules, type Scanner } from "@virustotal/yara-x";
import engine from "@virustotal/yara-x/package.json" with { type: "json" };
import { z } from "zod";
import {
  type CompileProblem,
  type CompileRules,
  compileProblem,
  EXTERNALS,
  type Externals,
  MAX_MATCHES_PER_PATTERN,
  messageOf,
  type RuleEngine,
  type RuleMatch,
  UncompilableRules,
} from "./engine.ts";
import { imageOf, type RulesImage, rulesFrom } from "./image.ts";
import type { RuleText } from "./rules.ts";
import { withoutComments } from "./text/comments.ts";

const ScanResult = z.object({
  matches: z.array(
    z.object({
      identifier: z.string(),
      namespace: z.string(),
      isPrivate: z.boolean(),
      isGlobal: z.boolean(),
      tags: z.array(z.string()),
      metadata: z.array(z.object({ identifier: z.string(), value: z.unknown() })),
    }),
  ),
});

/** Whether there is anything in the engine's memory, which an image would overwrite. */
let used = false;

/** The second time this does nothing. */
function engineExports(): InitOutput {
  const wasm = new URL("yara_x_js_bg.wasm", import.meta.resolve("@virustotal/yara-x"));
  return initSync({ module: readFileSync(fileURLToPath(wasm)) });
}

export const compileWasm: CompileRules = (texts) => {
  engineExports();
  return new WasmEngine(build(texts), mentionedIn(texts));
};

/** Compiles, and takes an image of what came of it where that can be. */
export function compileWithImage(texts: readonly RuleText[]): {
  readonly engine: RuleEngine;
  readonly image: RulesImage | undefined;
} {
  const exports = engineExports();
  const rules = build(texts);
  const image = imageOf(rules, exports);
  return { image, engine: new WasmEngine(rules, mentionedIn(texts)) };
}

/** The engine of an image made of the same texts. Once in a process, before anything is compiled; `undefined` when it does not fit. */
export function openImage(image: RulesImage, texts: readonly RuleText[]): RuleEngine | undefined {
  if (used) return undefined;
  used = true;
  const rules = rulesFrom(image, engineExports());
  return rules === undefined ? undefined : new WasmEngine(rules, mentionedIn(texts));
}

function build(texts: readonly RuleText[]): Rules {
  used = true;
  using compiler = new Compiler();
  for (const name of EXTERNALS) compiler.defineGlobal(name, "");
  const problems: CompileProblem[] = [];
  /** The compiler keeps what it has said of all texts in one list. */
  let told = 0;
  for (const text of texts) {
    compiler.newNamespace(text.namespace);
    try {
      compiler.addSource(withoutHugeNumbers(withoutComments(text.text)));
    } catch (error) {
      const said = compiler.errors.slice(told);
      told += said.length;
      for (const each of said.length > 0 ? said : [messageOf(error)])
        problems.push(compileProblem(text, each));
    }
  }
  if (problems.length > 0) throw new UncompilableRules(problems);
  return compiler.build();
}

const mentionedIn = (texts: readonly RuleText[]): readonly (keyof Externals)[] =>
  EXTERNALS.filter((name) => texts.some(({ text }) => text.includes(name)));

/** Texts, comments and regular expressions, to leave them alone; and what a key of the metadata is when it is a whole number. */
const ASSIGNED =
  /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|\/(?:\\.|[^\\/\n])+\/|(?<![=<>!])=\s*(-?(?:0x[\da-f]+|\d+))\b(?!\.)/gi;

/**
 * The engine fails to hand over a match whose metadata has a number beyond what JavaScript counts exactly: every file that
 * the rule matches would be without an answer. As a text it says the same.
 */
const withoutHugeNumbers = (text: string): string =>
  text.replaceAll(ASSIGNED, (whole, number?: string) =>
    number === undefined || Number.isSafeInteger(Number(number.replace("-", "")))
      ? whole
      : whole.replace(number, `"${number}"`),
  );

class WasmEngine implements RuleEngine {
  readonly name = `YARA-X ${engine.version} (WebAssembly)`;
  readonly #rules: Rules;
  readonly #scanner: Scanner;
  /** What rules may look at, as it is set; all begin empty. To set one takes as long as to scan a small file. */
  readonly #externals: Map<keyof Externals, string>;

  constructor(rules: Rules, mentioned: readonly (keyof Externals)[]) {
    this.#externals = new Map(mentioned.map((name) => [name, ""]));
    this.#rules = rules;
    this.#scanner = rules.scanner();
    this.#scanner.setMaxMatchesPerPattern(MAX_MATCHES_PER_PATTERN);
  }

  scan(bytes: Uint8Array, externals: Externals): readonly RuleMatch[] {
    this.#set(externals);
    return ScanResult.parse(this.#run(bytes))
      .matches.filter(({ isPrivate, isGlobal }) => !isPrivate && !isGlobal)
      .map(({ identifier, namespace, tags, metadata }) => ({
        rule: identifier,
        namespace,
        tags,
        meta: Object.fromEntries(metadata.map(({ identifier: key, value }) => [key, value])),
      }));
  }

  #set(externals: Externals): void {
    for (const [name, is] of this.#externals) {
      if (externals[name] === is) continue;
      this.#scanner.setGlobal(name, externals[name]);
      this.#externals.set(name, externals[name]);
    }
  }

  #run(bytes: Uint8Array): unknown {
    try {
      return this.#scanner.scan(bytes);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "RuntimeError") throw error;
      // It stopped in the middle and left its memory as it was: nothing can be trusted that comes out of it now.
      console.error(error);
      process.exit(1);
    }
  }

  [Symbol.dispose](): void {
    this.#scanner.free();
    this.#rules.free();
  }
}
