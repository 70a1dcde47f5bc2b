/**
 * Settings as tables. A process has one table; each row is one setting: its flag, its environment variable, its default,
 * its value's name and unit in the help, and the schema that reads it. The help, the command line and the environment
 * are all made from the rows, so they cannot disagree.
 *
 * A flag beats the variable, the variable beats the default. Defaults are written as an operator would write them and
 * pass through the same schema. An empty variable counts as not set: that is what `API_KEY=` in a compose file means.
 */
import { availableParallelism } from "node:os";
import { z } from "zod";
import { ConfigFault } from "../../domain/fault.ts";
import { splitPhrases } from "./phrases.ts";

/** What a default may depend on. */
export interface Machine {
  /** CPUs that this process may use. */
  readonly cpus: number;
  /** Whether standard error is a terminal. */
  readonly terminal: boolean;
}

type Reader<T> = z.ZodType<T, string>;

interface Row {
  /** Without the dashes. */
  readonly flag: string;
  readonly env?: string;
  readonly help: string;
  /** Never written into a message; a function says whether this text holds a secret, for those that need not. */
  readonly secret?: true | ((text: string) => boolean);
  /** Not for people: left out of the help. */
  readonly hidden?: true;
  /** Another flag that says the same, by other means: given, it beats this row's variable too. */
  readonly yieldsTo?: string;
  /** Whether anything needs this setting, by the names and values of the others. A variable that nothing needs may be wrong. */
  readonly neededBy?: (others: Readonly<Record<string, unknown>>) => boolean;
}

interface ValueRow<T> extends Row {
  /** Name of the value in the help, such as SECONDS. */
  readonly value: string;
  readonly reads: Reader<T>;
  /** What the help says instead of the default, when that depends on the machine or needs words. */
  readonly defaultHelp?: string;
}

export interface Setting<T> extends ValueRow<unknown> {
  readonly kind: "value" | "list" | "phrases" | "switch";
  readonly default?: string | ((machine: Machine) => string);
  /** Exists only in the type checker: what `readSettings` makes of this row. */
  readonly type?: T;
}

export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

type TypeOf<S> = S extends Setting<infer T> ? T : never;
type OptionalKeys<Table> = {
  [K in keyof Table]: undefined extends TypeOf<Table[K]> ? K : never;
}[keyof Table];

/** The typed object that a table reads. */
export type ConfigOf<Table extends SettingsTable> = {
  readonly [K in Exclude<keyof Table, OptionalKeys<Table>>]: TypeOf<Table[K]>;
} & { readonly [K in OptionalKeys<Table>]?: TypeOf<Table[K]> };

/** A setting with exactly one value; without a default it must be given. */
export const one = <T>(row: ValueRow<T> & { default?: string | ((machine: Machine) => string) }) =>
  ({ kind: "value", ...row }) as Setting<T>;

/** A setting that may be absent. */
export const maybe = <T>(row: ValueRow<T>) =>
  ({ kind: "value", defaultHelp: "none", ...row }) as Setting<T | undefined>;

/** A repeatable flag, a variable, a default: each may hold several, comma separated. */
export const many = <T>(row: ValueRow<T> & { default: string }) =>
  ({ kind: "list", ...row }) as Setting<readonly T[]>;

/** Phrases of four words (phrases.ts): a repeatable flag, and a variable that separates them by ";". Default: none. */
export const phrases = <T>(row: ValueRow<T>) =>
  ({ kind: "phrases", default: "", defaultHelp: "none", ...row }) as Setting<readonly T[]>;

/** On when its flag is given or its variable says so. */
export const toggle = (row: Row) =>
  ({
    kind: "switch",
    value: "",
    reads: yesOrNo,
    defaultHelp: "off",
    default: "no",
    ...row,
  }) as Setting<boolean>;

/** A schema that reads text by a function; `right` completes the sentence "the value must be ...". */
export const reading = <T>(right: string, read: (text: string) => T): Reader<T> =>
  z.string().transform((text, context) => {
    try {
      return read(text);
    } catch {
      context.addIssue({ code: "custom", message: right });
      return z.NEVER;
    }
  });

const yesOrNo = reading("yes or no", (text) => {
  const answers: Readonly<Record<string, boolean>> = {
    yes: true,
    true: true,
    on: true,
    "1": true,
    no: false,
    false: false,
    off: false,
    "0": false,
  };
  const answer = answers[text.toLowerCase()];
  if (answer === undefined) throw new RangeError(text);
  return answer;
});

export interface Sources {
  /** By flag name without dashes: the text given, all texts of a repeated flag, or `true` for a switch. */
  readonly flags: Readonly<Record<string, string | readonly string[] | true | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly machine?: Machine;
  /** Told of each variable that is set and not used. */
  readonly onIgnored?: (variable: string, why: string) => void;
}

/** Reads a whole table. Throws ConfigFault naming the first setting that is wrong, its value and what is right. */
export function readSettings<Table extends SettingsTable>(table: Table, sources: Sources): ConfigOf<Table> {
  const machine = sources.machine ?? thisMachine();
  const config: Record<string, unknown> = {};
  const read = ([name, setting]: [string, Setting<unknown>], from: Sources): void => {
    const texts = given(setting, from) ?? defaultTexts(setting, machine);
    const values = texts.map((text) => readOne(setting, text));
    if (isList(setting)) config[name] = values;
    else if (values.length > 0) config[name] = values[0];
    else if (setting.defaultHelp !== "none")
      throw new ConfigFault("SETTING_MISSING", `${settingName(setting)} is missing: ${setting.help}.`);
  };
  const rows = Object.entries(table);
  const always = rows.filter(([, { neededBy }]) => neededBy === undefined);
  for (const row of always) read(row, sources);
  // The others say whether these are needed at all.
  for (const row of rows.filter((other) => !always.includes(other))) {
    const [, setting] = row;
    const needed = setting.neededBy?.(config) !== false;
    read(row, needed || isRight(setting, sources) ? sources : withoutVariable(setting, sources));
  }
  return config as ConfigOf<Table>;
}

/** Whether the variable of a setting, if it is the one that counts, can be read. A wrong flag is always complained of. */
function isRight(setting: Setting<unknown>, sources: Sources): boolean {
  if (sources.flags[setting.flag] !== undefined) return true;
  return (given(setting, { ...sources, onIgnored: () => {} }) ?? []).every(
    (text) => setting.reads.safeParse(text).success,
  );
}

function withoutVariable({ env = "" }: Setting<unknown>, sources: Sources): Sources {
  sources.onIgnored?.(env, "it is not right, and what it sets is not in use");
  return { ...sources, env: { ...sources.env, [env]: undefined } };
}

/**
 * What Kubernetes puts into every container for a Service, and Docker for a link: `CLAMD_PORT=tcp://10.96.3.4:3310` for one
 * called "clamd". It is no setting.
 */
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\/\S+:\d+$/;

const isServiceLink = (variable: string, text: string): boolean =>
  variable.endsWith("_PORT") && SERVICE_LINK.test(text.trim());

function given(setting: Setting<unknown>, { flags, env, onIgnored }: Sources): readonly string[] | undefined {
  const flag = flags[setting.flag];
  if (flag === true) return ["yes"];
  if (flag !== undefined) return flagTexts(setting, typeof flag === "string" ? [flag] : flag);
  if (setting.yieldsTo !== undefined && flags[setting.yieldsTo] !== undefined) return undefined;
  const variable = setting.env === undefined ? undefined : env[setting.env];
  if (variable === undefined || variable.trim() === "") return undefined;
  if (isServiceLink(setting.env!, variable)) {
    onIgnored?.(setting.env!, "it is the link to a service, set by Kubernetes or Docker, and no port");
    return undefined;
  }
  // A password may begin or end with a space; nothing else does on purpose.
  if (isList(setting)) return splitTexts(setting, variable);
  return [setting.secret ? variable : variable.trim()];
}

/** `--backend yara,clamav` is two backends, as in the variable; a text without any item is left to be complained of. */
function flagTexts({ kind }: Setting<unknown>, texts: readonly string[]): readonly string[] {
  if (kind !== "list") return texts;
  return texts.flatMap((text) => {
    const items = splitList(text);
    return items.length === 0 ? [text] : items;
  });
}

function defaultTexts(setting: Setting<unknown>, machine: Machine): readonly string[] {
  const text = typeof setting.default === "function" ? setting.default(machine) : setting.default;
  if (text === undefined) return [];
  return isList(setting) ? splitTexts(setting, text) : [text];
}

/** Whether a setting may have several values. */
export const isList = ({ kind }: Pick<Setting<unknown>, "kind">): boolean =>
  kind === "list" || kind === "phrases";

const splitTexts = ({ kind }: Setting<unknown>, text: string): readonly string[] =>
  kind === "phrases" ? splitPhrases(text) : splitList(text);

const splitList = (text: string): string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

function readOne(setting: Setting<unknown>, text: string): unknown {
  const result = setting.reads.safeParse(text);
  if (result.success) return result.data;
  const right = result.error.issues[0]?.message ?? "something else";
  const shown = setting.secret ? "The value" : `"${text}"`;
  throw new ConfigFault(
    "SETTING_INVALID",
    `${shown} is not right for ${settingName(setting)}: it must be ${right}.`,
  );
}

/** "--http-port (variable HTTP_PORT)": how messages name a setting. */
export const settingName = ({ flag, env }: Pick<Setting<unknown>, "flag" | "env">): string =>
  env === undefined ? `--${flag}` : `--${flag} (variable ${env})`;

const thisMachine = (): Machine => ({
  cpus: availableParallelism(),
  terminal: process.stderr.isTTY === true,
});
