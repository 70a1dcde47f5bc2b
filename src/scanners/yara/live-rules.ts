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
 * - Processes that start later do not compile: they take over an image of what the first has compiled.
 */
import { z } from "zod";
import { describeError } from "../../domain/fault.ts";
import type { ScannerHost } from "../contract.ts";
import { type Compiled, type CompileOptions, compileRules, type OnBroken } from "./compile.ts";
import type { RuleEngine } from "./engine.ts";
import { RulesImage } from "./image.ts";
import { leadingDotsIn } from "./leading-dots.ts";
import { BrokenRules, NAMED_AT_ONCE, type RuleProblem } from "./problem.ts";
import { stampOf } from "./rule-files.ts";
import { RuleSet, readRules, ruleCount } from "./rules.ts";

const LOOK_EVERY_MS = 1_000;
const MOST_OF_THE_TIME = 20;

/** What processes of this backend leave to each other. */
const Inheritance = z.object({
  /** As compiled: without what was skipped. */
  set: RuleSet,
  image: RulesImage.optional(),
});
type Inheritance = z.infer<typeof Inheritance>;

interface LiveOptions {
  readonly root: string;
  readonly host: ScannerHost;
  readonly onBroken: OnBroken;
}

/** Rules that can be used, and what was left out of what was read. */
interface Prepared {
  readonly set: RuleSet;
  readonly compiled: Compiled;
  readonly skipped: readonly RuleProblem[];
  /** Rules that were left out, and files of which nothing could be read. */
  readonly missing: number;
}

export class LiveRules implements Disposable {
  readonly #options: LiveOptions;
  #engine: RuleEngine;
  #set: RuleSet;
  #stamp: string;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(
    options: LiveOptions,
    { set, compiled }: Pick<Prepared, "set" | "compiled">,
    stamp: string,
  ) {
    this.#options = options;
    this.#set = set;
    this.#engine = compiled.engine;
    this.#stamp = stamp;
    this.#lookIn(LOOK_EVERY_MS);
  }

  /** Throws BrokenRules when there are no rules, or some that do not compile, and none were inherited. */
  static async open(options: LiveOptions): Promise<LiveRules> {
    const { root, host } = options;
    const inherited = Inheritance.safeParse(host.inherited).data;
    const stamp = await stampOf(root, inherited?.set.files ?? []);
    try {
      const prepared = await prepare(options, inherited);
      if (prepared.set.version !== inherited?.set.version) tellAll(host, prepared, "");
      bequeath(host, prepared, inherited);
      return new LiveRules(options, prepared, stamp);
    } catch (error) {
      if (!(error instanceof BrokenRules)) throw error;
      tellProblems(host, error.problems);
      if (inherited === undefined) throw error;
      const { set, image } = inherited;
      const compiled = await compileRules(set.texts, { ...enginesFor(host), image });
      host.tell("warn", keptOld(error));
      return new LiveRules(options, { set, compiled }, stamp);
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
    const { root, host } = this.#options;
    const stamp = await stampOf(root, this.#set.files);
    if (stamp === this.#stamp || this.#closed) return;
    this.#stamp = stamp;
    try {
      const prepared = await prepare(this.#options, { set: this.#set });
      const { set, compiled } = prepared;
      if (set.version === this.#set.version || this.#closed) return compiled.engine[Symbol.dispose]();
      this.#engine[Symbol.dispose]();
      this.#engine = compiled.engine;
      this.#set = set;
      // Without an image: this process has looked at files of strangers.
      host.bequeath({ set } satisfies Inheritance);
      tellAll(host, prepared, "The YARA rules have changed: ");
    } catch (error) {
      if (error instanceof BrokenRules) tellProblems(host, error.problems);
      host.tell("warn", keptOld(error));
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

/** The native engine takes its time and shares nothing: one process of the backend has it, the others are ready at once. */
const enginesFor = ({ lead }: ScannerHost): Pick<CompileOptions, "engines"> => ({
  engines: lead ? "both" : "wasm",
});

/** Of one file. What it takes to compile grows faster than that: 5 MB of one rule's strings keep YARA-X busy for a minute. */
const LARGE_TEXT = 1_000_000;

/** Before compiling, which lets this process say nothing until it is done. */
function tellLarge(host: ScannerHost, { texts }: RuleSet): void {
  const large = texts.filter(({ text }) => text.length >= LARGE_TEXT);
  for (const { text, namespace, origins } of large.slice(0, NAMED_AT_ONCE)) {
    const of = `${origins[0]?.file ?? namespace}, ${(text.length / 1e6).toFixed(1)} MB`;
    host.tell("info", `Compiling the YARA rules of ${of}: that may take minutes.`);
  }
}

/** Throws BrokenRules with everything that is wrong, unless that is to be skipped and rules are left. */
async function prepare(
  { root, host, onBroken }: LiveOptions,
  inherited: Inheritance | undefined,
): Promise<Prepared> {
  const { set, problems } = await readRules(root);
  if (inherited?.set.version === set.version) {
    const { texts } = inherited.set;
    const compiled = await compileRules(texts, { ...enginesFor(host), image: inherited.image });
    return { set: inherited.set, compiled, skipped: [], missing: 0 };
  }
  tellLarge(host, set);
  const compiled = await compileRules(set.texts, { ...enginesFor(host), onBroken }).catch(
    (error: unknown) => {
      if (!(error instanceof BrokenRules)) throw error;
      throw new BrokenRules([...problems, ...error.problems]);
    },
  );
  if (problems.length > 0 && onBroken === "refuse") {
    compiled.engine[Symbol.dispose]();
    throw new BrokenRules(problems);
  }
  const { texts, skipped } = compiled;
  return {
    set: { ...set, texts: [...texts] },
    compiled,
    skipped: [...problems, ...skipped],
    missing: ruleCount(set.texts) - ruleCount(texts) + problems.length,
  };
}

/** To those that come after: the rules once, and an image when there was none. */
function bequeath(host: ScannerHost, { set, compiled }: Prepared, inherited: Inheritance | undefined): void {
  const { image } = compiled;
  if (set.version === inherited?.set.version && image === undefined) return;
  host.bequeath({ set, ...(image === undefined ? {} : { image }) } satisfies Inheritance);
}

function tellAll(host: ScannerHost, { set, compiled, skipped, missing }: Prepared, before: string): void {
  host.tell("info", `${before}${describeRules(set, compiled)}`);
  host.measure("rules", ruleCount(set.texts));
  host.measure("rules_skipped", missing);
  for (const { text } of skipped) host.tell("warn", `Left out of the YARA rules: ${text}.`);
  for (const sentence of leadingDotsIn(set.texts)) host.tell("warn", sentence);
}

/** One by one what does not fit in one sentence. */
function tellProblems(host: ScannerHost, problems: readonly RuleProblem[]): void {
  if (problems.length > NAMED_AT_ONCE) for (const { text } of problems) host.tell("warn", `${text}.`);
}

function describeRules({ texts, version }: RuleSet, { engine, why }: Compiled): string {
  const instead = why === undefined ? "" : ` The native engine does not run them: ${why}`;
  return `${ruleCount(texts)} YARA rules in ${texts.length} namespaces, version ${version}, by ${engine.name}.${instead}`;
}
