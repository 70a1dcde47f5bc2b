/**
 * Flags that npm took for its own. `npm start producer --bid-strategy aggressive` reaches us as the bare word
 * `aggressive` and the variable npm_config_bid_strategy=true; with `--bid-strategy=aggressive` the variable holds the
 * value; a repeated flag holds its values with blank lines between. Running with defaults instead would stake money on
 * settings that were not chosen, so we notice and say what to type.
 */
import { ConfigFault } from "../domain/fault.ts";
import { PHRASE_WORDS, writePhrase } from "./values/phrases.ts";
import type { Setting, SettingsTable, Sources } from "./values/settings.ts";

export interface CommandLine {
  readonly command: string;
  readonly settings: SettingsTable;
  readonly flags: Sources["flags"];
  /** Words that belong to no flag. */
  readonly words: readonly string[];
  /** Whether this command is told such words, like the paths of files. */
  readonly takesWords?: boolean;
  /** Everything after the command's name, as it came. */
  readonly rest: readonly string[];
}

/** npm has settings of these names and hands them to every script, asked or not. */
const NPM_SETS_ITSELF = ["fund"];

/** Throws ConfigFault when npm took options, or when there are words that belong to none. */
export function refuseStrayWords(line: CommandLine, env: Sources["env"]): void {
  const retyped = retypedForNpm(line, env);
  if (retyped !== undefined)
    throw new ConfigFault("FLAG_SWALLOWED", "npm kept options to itself that were meant for microengine.", {
      hint: `Type: ${retyped}`,
    });
  const [word] = line.words;
  if (word === undefined || line.takesWords) return;
  const hint = startedByNpm(env)
    ? `With npm, options go behind a "--": npm start ${line.command} -- --help lists them.`
    : `microengine ${line.command} --help lists them.`;
  throw new ConfigFault("STRAY_WORD", `"${word}" belongs to no option of ${line.command}.`, { hint });
}

// Scripts that npm runs for other reasons, and their children, inherit its variables too.
const startedByNpm = (env: Sources["env"]): boolean => env.npm_lifecycle_event === "start";

/** What to type instead, or undefined when npm took nothing. Shows no secrets. */
export function retypedForNpm(line: CommandLine, env: Sources["env"]): string | undefined {
  // A consumer that a producer forked has the producer's environment, but not its command line.
  if (!startedByNpm(env) || line.flags.embedded === true) return undefined;
  const taken = Object.values(line.settings).flatMap((setting) => takenTexts(setting, line.flags, env));
  if (taken.length === 0) return undefined;

  // npm does not say which word belonged to which flag: one of each is a pair, of more one cannot know.
  const open = taken.filter(({ text }) => text === undefined);
  const stray = line.takesWords ? [] : line.words;
  const word = open.length === 1 ? onlyText(open[0]!.setting, stray) : undefined;
  const retyped = taken.map(({ setting, text = word }) => {
    if (setting.kind === "switch") return `--${setting.flag}`;
    return `--${setting.flag} ${setting.secret || text === undefined ? setting.value : quoted(text)}`;
  });
  const passed = line.rest.filter((argument) => !stray.includes(argument) && argument !== "--");
  return ["npm start", line.command, "--", ...retyped, ...passed.map(quoted)].join(" ");
}

/** The words as the one value of this setting, if that is what they can be. */
function onlyText({ kind }: Setting<unknown>, words: readonly string[]): string | undefined {
  if (words.length === 1) return words[0];
  return kind === "phrases" && words.length === PHRASE_WORDS ? writePhrase(words) : undefined;
}

interface Taken {
  readonly setting: Setting<unknown>;
  /** Undefined when npm left the value among the words. */
  readonly text: string | undefined;
}

function takenTexts(
  setting: Setting<unknown>,
  flags: Sources["flags"],
  env: Sources["env"],
): readonly Taken[] {
  const variable = env[`npm_config_${setting.flag.replaceAll("-", "_")}`];
  if (variable === undefined || variable === "" || setting.hidden) return [];
  if (flags[setting.flag] !== undefined || NPM_SETS_ITSELF.includes(setting.flag)) return [];
  if (setting.kind === "switch") return [{ setting, text: "" }];
  return variable.split("\n\n").map((text) => ({ setting, text: text === "true" ? undefined : text }));
}

/** A word as a shell takes it whole. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
