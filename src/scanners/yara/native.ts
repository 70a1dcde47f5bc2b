/**
 * YARA rules in native code (an optional dependency that exists for x64 Linux with glibc and for macOS): a scan costs
 * next to nothing, with any number of rules.
 *
 * It knows no namespaces. Files whose rules have different names share one compiled set. A name that comes again makes
 * another set, and so does a global rule, which would hold for all rules of its set. So a file may here refer to rules of another without
 * including it, which WebAssembly refuses.
 */
import { compile, type RuleMatch as NativeMatch, validate, type YaraX } from "@litko/yara-x";
import engine from "@litko/yara-x/package.json" with { type: "json" };
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
import type { RuleText } from "./rules.ts";
import { withoutComments } from "./text/comments.ts";

interface Group {
  readonly texts: RuleText[];
  /** The file of every rule. */
  readonly owners: Map<string, RuleText>;
  readonly closed: boolean;
}

export function groupsOf(texts: readonly RuleText[]): readonly Group[] {
  const groups: Group[] = [];
  for (const text of texts) {
    const closed = text.rules.some(({ global }) => global);
    const fits = ({ owners, closed: taken }: Group) =>
      !taken && !text.rules.some(({ name }) => owners.has(name));
    let group = closed ? undefined : groups.find(fits);
    if (group === undefined) {
      group = { texts: [], owners: new Map(), closed };
      groups.push(group);
    }
    group.texts.push(text);
    for (const { name } of text.rules) group.owners.set(name, text);
  }
  return groups;
}

interface CompiledGroup extends Group {
  readonly rules: YaraX;
  readonly globals: ReadonlySet<string>;
}

export const compileNative: CompileRules = (texts) => {
  const problems: CompileProblem[] = [];
  const groups: CompiledGroup[] = [];
  for (const group of groupsOf(texts)) {
    const made = compileGroup(group);
    if ("rules" in made) groups.push(made);
    else for (const problem of made) problems.push(problem);
  }
  if (problems.length > 0) throw new UncompilableRules(problems);
  return new NativeEngine(groups);
};

/**
 * Stands behind each file, so that a comment or a rule that it leaves open does not swallow rules of the next: in an open
 * comment the first line ends it and is then no YARA, in an open rule the second is none.
 */
const endOfFile = (index: number): string =>
  `//*/ this comment is not closed\nrule end_of_file_${index} { condition: false }\n`;
const END_OF_FILE_LINES = 2;

const NO_EXTERNALS = Object.fromEntries(EXTERNALS.map((name) => [name, ""]));

const OPTIONS = { defineVariables: NO_EXTERNALS, enableIncludes: false };

function compileGroup(group: Group): CompiledGroup | readonly CompileProblem[] {
  const joined = group.texts.map(({ text }, index) => withoutComments(text) + endOfFile(index)).join("");
  try {
    const rules = compile(joined, OPTIONS);
    rules.setMaxMatchesPerPattern(MAX_MATCHES_PER_PATTERN);
    const named = group.texts.flatMap((text) => text.rules);
    const globals = new Set(named.filter(({ global }) => global).map(({ name }) => name));
    return { ...group, rules, globals };
  } catch (error) {
    // It throws the first; asked again it names all.
    const said = validate(joined, OPTIONS).errors.map(({ message }) => message);
    return (said.length > 0 ? said : [messageOf(error)]).map((each) => whose(group.texts, each));
  }
}

/** The line is one of all texts together. */
function whose(texts: readonly RuleText[], said: string): CompileProblem {
  const line = Number(/--> line:(\d+)/.exec(said)?.[1] ?? 1);
  let before = 0;
  for (const text of texts) {
    const lines = text.text.split("\n").length - 1;
    // What its end has to say of it is said of its last line.
    const beyond = Math.max(0, line - before - lines);
    if (beyond <= END_OF_FILE_LINES) return compileProblem(text, said, -before - beyond);
    before += lines + END_OF_FILE_LINES;
  }
  return compileProblem(texts.at(-1)!, said, -before);
}

/** The engine reads a text that looks like a number or a boolean as such, and then refuses it because it is no text. */
const READ_AS_TEXT = /^(?!(?:true|false)$)(?![-+.\d]*(?:e[-+]?\d+)?$)(?!(?:nan|[-+]?inf(?:inity)?)$)/i;

class NativeEngine implements RuleEngine {
  readonly name = `YARA-X by @litko/yara-x ${engine.version} (native)`;
  readonly #groups: readonly CompiledGroup[];

  constructor(groups: readonly CompiledGroup[]) {
    this.#groups = groups;
  }

  scan(bytes: Uint8Array, externals: Externals): readonly RuleMatch[] {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const variables = Object.fromEntries(
      EXTERNALS.map((name) => [name, READ_AS_TEXT.test(externals[name]) ? externals[name] : ""]),
    );
    return this.#groups.flatMap(({ rules, globals, owners }) =>
      rules
        .scan(content, variables)
        .filter(({ ruleIdentifier }) => !globals.has(ruleIdentifier))
        .map((match) => asMatch(match, owners)),
    );
  }

  /** Its memory goes with the last reference. */
  [Symbol.dispose](): void {}
}

const asMatch = ({ ruleIdentifier, tags, meta }: NativeMatch, owners: Group["owners"]): RuleMatch => ({
  rule: ruleIdentifier,
  namespace: owners.get(ruleIdentifier)?.namespace ?? "",
  tags,
  meta: { ...meta },
});
