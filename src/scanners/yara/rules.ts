/**
 * Reads a set of YARA rules: one file, or all `*.yar` and `*.yara` files of a folder and the folders in it.
 *
 * Each file is a namespace, so that two files may have rules of one name. What a file includes becomes part of it, and
 * is then no namespace of its own: that is how the `index.yar` of public rule sets is meant.
 */
import { createHash } from "node:crypto";
import { dirname, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { describeError } from "../../domain/fault.ts";
import { type Outline, outlineOf } from "./outline.ts";
import { BrokenRules, invalidRules, type RuleProblem } from "./problem.ts";
import { listRuleFiles, readRuleFile } from "./rule-files.ts";

const RuleText = z.object({
  /** Path of the file from the folder of the set, with slashes. */
  namespace: z.string(),
  /** What an engine compiles: the file with its includes in their places. */
  text: z.string(),
  /** Where the lines of `text` are from: from line `at` on (the first is 1) they are those of `file` from `line` on. */
  origins: z.array(z.object({ at: z.int(), file: z.string(), line: z.int() })),
  rules: z.array(z.object({ name: z.string(), global: z.boolean() })),
});
export type RuleText = Readonly<z.infer<typeof RuleText>>;

/** Plain data: a process can leave it to its successors. */
export const RuleSet = z.object({
  texts: z.array(RuleText),
  /** Every file that was read. */
  files: z.array(z.string()),
  /** Of what the rules say: 16 hex digits, the same for the same rules. */
  version: z.string(),
});
export type RuleSet = Readonly<z.infer<typeof RuleSet>>;

export const ruleCount = (texts: readonly RuleText[]): number =>
  texts.reduce((sum, { rules }) => sum + rules.length, 0);

/** `file:line` of a line of the text. */
export function placeOf({ origins }: RuleText, line: number): string {
  const { at, file, line: first } = origins.findLast((origin) => origin.at <= line) ?? origins[0]!;
  return `${file}:${Math.max(1, first + line - at)}`;
}

interface RuleFile {
  readonly path: string;
  readonly text: string;
  readonly outline: Outline;
}

/** Rules, and what could not be made of their files. */
interface RulesRead {
  readonly set: RuleSet;
  readonly problems: readonly RuleProblem[];
}

/** Throws BrokenRules: nothing there, no rules in it, or any problem with a file. */
export async function readRuleSet(root: string): Promise<RuleSet> {
  const { set, problems } = await readRules(root);
  if (problems.length > 0) throw new BrokenRules(problems);
  return set;
}

/**
 * Reads what can be read: a file that is no text or no YARA, and an include that leads nowhere, is a problem and counts as
 * empty. Throws BrokenRules when there are no rules at all.
 */
export async function readRules(root: string): Promise<RulesRead> {
  const listed = await listRuleFiles(root).catch((cause: unknown) => {
    throw invalidRules(`The YARA rules "${root}" cannot be read: ${describeError(cause)}`, cause);
  });
  const reading = new RuleReading(root);
  for (const path of listed) await reading.read(path);
  const { files } = reading;
  const included = new Set([...files.values()].flatMap((file) => includesOf(file)));
  const texts: RuleText[] = [];
  // Files that include each other in a circle are part of none that is compiled; joining them finds that out.
  for (const path of listed) {
    const text = reading.join(path);
    if (!included.has(path)) texts.push(text);
  }
  const { problems } = reading;
  if (ruleCount(texts) === 0) {
    if (problems.length > 0) throw new BrokenRules(problems);
    throw invalidRules(`There are no YARA rules in "${root}": ${whyNone(root, listed, files)}`);
  }
  const hash = createHash("sha256");
  for (const { namespace, text } of texts) hash.update(`${namespace}\0${text}\0`);
  const set = { texts, files: [...files.keys()], version: hash.digest("hex").slice(0, 16) };
  return { set, problems };
}

function whyNone(root: string, listed: readonly string[], files: ReadonlyMap<string, RuleFile>): string {
  if (listed.length === 0) return "no file in it ends in .yar or .yara";
  const empty = listed.every((path) => files.get(path)?.text.trim() === "");
  if (listed[0] === root) return empty ? "the file is empty" : "the file holds none";
  return empty ? "the files in it are empty" : "the files in it hold none";
}

const includesOf = ({ path, outline }: RuleFile): string[] =>
  outline.includes.map((include) => resolve(dirname(path), include.path));

class RuleReading {
  readonly files = new Map<string, RuleFile>();
  readonly #root: string;
  readonly #complaints = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  get problems(): readonly RuleProblem[] {
    return [...this.#complaints].map((text) => ({ kind: "file", text }));
  }

  /** The file and what it includes. `from`: the place that asks for it. */
  async read(path: string, from?: string): Promise<void> {
    if (this.files.has(path)) return;
    const text = await readRuleFile(path).catch((cause: unknown) => {
      const which = from === undefined ? `The rule file ${path}` : `${from}: the included file ${path}`;
      this.#complain(`${which} cannot be read: ${describeError(cause)}`);
      return "";
    });
    const file = { path, text, outline: outlineOf(text) };
    this.files.set(path, file);
    for (const { path: to, start } of file.outline.includes)
      await this.read(resolve(dirname(path), to), `${path}:${lineAt(text, start)}`);
  }

  /** The file with its includes in their places. */
  join(path: string): RuleText {
    const namespace = relative(this.#root, path).replaceAll(sep, "/") || path.slice(dirname(path).length + 1);
    const joined = new JoinedText();
    const taken = new Set<string>();
    const expand = (file: RuleFile, trail: readonly string[]): void => {
      let done = 0;
      for (const { path: written, start, end } of file.outline.includes) {
        const target = resolve(dirname(file.path), written);
        joined.add(file.path, lineAt(file.text, done), file.text.slice(done, start));
        done = end;
        if ([...trail, file.path].includes(target))
          this.#complain(`${file.path}:${lineAt(file.text, start)}: ${target} would include itself`);
        // Once is enough, by whatever way it comes.
        else if (!taken.has(target)) expand(this.files.get(target)!, [...trail, file.path]);
        taken.add(target);
      }
      joined.add(file.path, lineAt(file.text, done), file.text.slice(done));
      for (const rule of file.outline.rules) joined.rules.push(rule);
    };
    expand(this.files.get(path)!, []);
    const { lines, origins, rules } = joined;
    return { namespace, text: `${lines.join("\n")}\n`, origins, rules };
  }

  /** Once of each: the same is found again by every file that includes it. */
  #complain(text: string): void {
    this.#complaints.add(text);
  }
}

class JoinedText {
  readonly lines: string[] = [];
  readonly origins: RuleText["origins"] = [];
  readonly rules: RuleText["rules"] = [];

  add(file: string, line: number, text: string): void {
    this.origins.push({ at: this.lines.length + 1, file, line });
    // One by one: a list of unknown length does not fit among the arguments of a call.
    for (const each of text.split("\n")) this.lines.push(each);
  }
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
