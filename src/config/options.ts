/** Settings tables as options of the command line. */
import { Option } from "commander";
import { isList, type Setting, type SettingsTable, type Sources } from "./values/settings.ts";

/** One option a row; its help names the variable and the default. */
export const optionsOf = (table: SettingsTable): readonly Option[] => Object.values(table).map(optionOf);

function optionOf(setting: Setting<unknown>): Option {
  const { flag, kind, value } = setting;
  const option = new Option(kind === "switch" ? `--${flag}` : `--${flag} <${value}>`, helpOf(setting));
  if (setting.hidden) option.hideHelp();
  if (isList(setting)) option.argParser<string[]>((text, sofar = []) => [...sofar, text]);
  return option;
}

function helpOf({ help, env, kind, default: text, defaultHelp }: Setting<unknown>): string {
  const separated = { list: ", comma separated", phrases: ', separated by ";"', value: "", switch: "" }[kind];
  const variable = env === undefined ? [] : [`variable ${env}${separated}`];
  const standard = defaultHelp ?? (typeof text === "string" ? text : undefined);
  const also = [
    ...(isList({ kind }) ? ["repeatable"] : []),
    ...variable,
    ...(standard === undefined ? [] : [`default: ${standard}`]),
  ];
  return `${help} (${also.join("; ")})`;
}

/** What commander collected, by flag name instead of its camel-cased attribute. */
export function flagsOf(
  table: SettingsTable,
  collected: Readonly<Record<string, unknown>>,
): Sources["flags"] {
  const flags = Object.values(table).map((setting) => {
    const attribute = new Option(`--${setting.flag}`).attributeName();
    return [setting.flag, collected[attribute] as Sources["flags"][string]] as const;
  });
  return Object.fromEntries(flags);
}
