/**
 * Rules in use that follow their files.
 *
 *     opening ──compiled──► serving ◄──────────────────────────┐
 *        │                     │ files changed                 │ compiled: the new rules
 *     refused                  ▼                               │ refused: the old ones, and a warning
 *        │                 compiling ──────────────────────────┘
 *        ├── another process has left rules that compile: serving those, with a warning
 *        └── none: the fault ends the start
 *
 * - Looks at names, sizes and times of the files once a second, between scans; a large set less often, so that looking
 *   takes no more than a twentieth of the time.
 * - A set that was refused is tried again when it changes.
 * - Compiling blocks the process: a scan that comes meanwhile waits.
 */
import { describeError } from "../domain/fault.ts";
import type { ScannerHost } from "./contract.ts";
import { type Compiled, compileRules } from "./yara-compile.ts";
import type { RuleEngine } from "./yara-engine.ts";
import { stampOf } from "./yara-files.ts";
import { RuleSet, readRuleSet, ruleCount } from "./yara-rules.ts";

const LOOK_EVERY_MS = 1_000;
const MOST_OF_THE_TIME = 20;

export class LiveRules implements Disposable {
  readonly #root: string;
  readonly #host: ScannerHost;
  #engine: RuleEngine;
  #set: RuleSet;
  #stamp: string;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(root: string, host: ScannerHost, set: RuleSet, { engine }: Compiled, stamp: string) {
    this.#root = root;
    this.#host = host;
    this.#set = set;
    this.#engine = engine;
    this.#stamp = stamp;
    this.#lookIn(LOOK_EVERY_MS);
  }

  /** Throws ConfigFault YARA_RULES_INVALID when there are no rules, or some that do not compile, and none were inherited. */
  static async open(root: string, host: ScannerHost): Promise<LiveRules> {
    const inherited = RuleSet.safeParse(host.inherited).data;
    const stamp = await stampOf(root, inherited?.files ?? []);
    try {
      const set = await readRuleSet(root);
      const compiled = await compileRules(set.texts);
      if (set.version !== inherited?.version) {
        host.bequeath(set);
        host.tell("info", describeRules(set, compiled));
      }
      return new LiveRules(root, host, set, compiled, stamp);
    } catch (error) {
      if (inherited === undefined) throw error;
      const compiled = await compileRules(inherited.texts);
      host.tell("warn", keptOld(error));
      return new LiveRules(root, host, inherited, compiled, stamp);
    }
  }

  get engine(): RuleEngine {
    return this.#engine;
  }

  /** Names what the rules say: the same for the same rules. */
  get version(): string {
    return this.#set.version;
  }

  /** Takes up what has changed since it last looked. */
  async look(): Promise<void> {
    const stamp = await stampOf(this.#root, this.#set.files);
    if (stamp === this.#stamp || this.#closed) return;
    this.#stamp = stamp;
    try {
      const set = await readRuleSet(this.#root);
      if (set.version === this.#set.version) return;
      const compiled = await compileRules(set.texts);
      if (this.#closed) return compiled.engine[Symbol.dispose]();
      this.#engine[Symbol.dispose]();
      this.#engine = compiled.engine;
      this.#set = set;
      this.#host.bequeath(set);
      this.#host.tell("info", `The YARA rules have changed: ${describeRules(set, compiled)}`);
    } catch (error) {
      this.#host.tell("warn", keptOld(error));
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#engine[Symbol.dispose]();
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(async () => {
      const from = performance.now();
      await this.look();
      const took = performance.now() - from;
      if (!this.#closed) this.#lookIn(Math.max(LOOK_EVERY_MS, took * MOST_OF_THE_TIME));
    }, ms).unref();
  }
}

const keptOld = (error: unknown): string => `${describeError(error)} The rules of before stay in use.`;

function describeRules({ texts, version }: RuleSet, { engine, why }: Compiled): string {
  const instead = why === undefined ? "" : ` The native engine does not run them: ${why}`;
  return `${ruleCount(texts)} YARA rules in ${texts.length} namespaces, version ${version}, by ${engine.name}.${instead}`;
}
