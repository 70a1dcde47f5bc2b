/**
 * Reads a set of YARA rules: one file, or all `*.yar` and `*.yara` files of a folder and the folders in it.
 *
 * Each file is a namespace, so that two files may have rules of one name. What a file includes becomes part of it, and
 * is then no namespace of its own: that is how the `index.yar` of public rule sets is meant.
 */
import { createHash } from "node:crypto";
import { dirname, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { ConfigFault, describeError } from "../domain/fault.ts";
import { listRuleFiles, readRuleFile } from "./yara-files.ts";
import { type Outline, outlineOf } from "./yara-outline.ts";

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

export const invalidRules = (sentence: string, cause?: unknown): ConfigFault =>
  new ConfigFault("YARA_RULES_INVALID", sentence, {
    hint: "--yara-rules (variable RULES_DIR) names the rules.",
    cause,
  });

interface RuleFile {
  readonly path: string;
  readonly text: string;
  readonly outline: Outline;
}

/** Throws ConfigFault YARA_RULES_INVALID: nothing there, no rules in it, not text, or an include that leads nowhere. */
export async function readRuleSet(root: string): Promise<RuleSet> {
  const listed = await listRuleFiles(root).catch((cause: unknown) => {
    throw invalidRules(`The YARA rules "${root}" cannot be read: ${describeError(cause)}.`, cause);
  });
  const files = new Map<string, RuleFile>();
  for (const path of listed) await readWithIncludes(path, files);
  const included = new Set([...files.values()].flatMap((file) => includesOf(file)));
  const namespaces = listed.filter((path) => !included.has(path));
  const texts = namespaces.map((path) => ruleText(root, path, files));
  // Files that include each other in a circle are nobody's part; reading them says so.
  for (const path of listed) if (included.has(path)) ruleText(root, path, files);
  if (ruleCount(texts) === 0) {
    const what = listed.length === 0 ? "no file in it ends in .yar or .yara" : "the files in it hold none";
    throw invalidRules(`There are no YARA rules in "${root}": ${what}.`);
  }
  const hash = createHash("sha256");
  for (const { namespace, text } of texts) hash.update(`${namespace}\0${text}\0`);
  return { texts, files: [...files.keys()], version: hash.digest("hex").slice(0, 16) };
}

const includesOf = ({ path, outline }: RuleFile): string[] =>
  outline.includes.map((include) => resolve(dirname(path), include.path));

async function readWithIncludes(path: string, files: Map<string, RuleFile>, from?: string): Promise<void> {
  if (files.has(path)) return;
  const text = await readRuleFile(path).catch((cause: unknown) => {
    const which = from === undefined ? `The rule file ${path}` : `${from}: the included file ${path}`;
    throw invalidRules(`${which} cannot be read: ${describeError(cause)}.`, cause);
  });
  const file = { path, text, outline: outlineOf(text) };
  files.set(path, file);
  for (const { path: to, start } of file.outline.includes) {
    await readWithIncludes(resolve(dirname(path), to), files, `${path}:${lineAt(text, start)}`);
  }
}

function ruleText(root: string, path: string, files: ReadonlyMap<string, RuleFile>): RuleText {
  const namespace = relative(root, path).replaceAll(sep, "/") || path.slice(dirname(path).length + 1);
  const origins: RuleText["origins"] = [];
  const rules: RuleText["rules"] = [];
  const lines: string[] = [];
  const taken = new Set<string>();

  function add(file: string, line: number, text: string): void {
    origins.push({ at: lines.length + 1, file, line });
    lines.push(...text.split("\n"));
  }

  function expand(file: RuleFile, trail: readonly string[]): void {
    let done = 0;
    for (const { path: written, start, end } of file.outline.includes) {
      const line = lineAt(file.text, start);
      const target = resolve(dirname(file.path), written);
      if ([...trail, file.path].includes(target))
        throw invalidRules(`${file.path}:${line}: ${target} would include itself.`);
      add(file.path, lineAt(file.text, done), file.text.slice(done, start));
      done = end;
      // Once is enough, by whatever way it comes.
      if (!taken.has(target)) expand(files.get(target)!, [...trail, file.path]);
      taken.add(target);
    }
    add(file.path, lineAt(file.text, done), file.text.slice(done));
    rules.push(...file.outline.rules);
  }

  expand(files.get(path)!, []);
  return { namespace, text: `${lines.join("\n")}\n`, origins, rules };
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
