/** Completion of the command line for shells, made from the tables that the command line itself is made of. Pure. */
import { ConfigFault } from "../domain/fault.ts";
import type { SettingsTable } from "./values/settings.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;

interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly settings: SettingsTable;
}

/** What the shell itself can complete, by the name of a value in the help. */
const FILES: ReadonlySet<string> = new Set(["FILE", "PATH", "DIRECTORY", "NAME"]);

interface CompletedOption {
  readonly flag: string;
  readonly help: string;
  readonly takes: "nothing" | "files" | "text";
}

function optionsOf({ settings }: CompletedCommand): readonly CompletedOption[] {
  const options = Object.values(settings)
    .filter(({ hidden }) => hidden !== true)
    .map(({ flag, help, kind, value }): CompletedOption => {
      if (kind === "switch") return { flag, help, takes: "nothing" };
      return { flag, help, takes: FILES.has(value) ? "files" : "text" };
    });
  return [...options, { flag: "help", help: "display help for command", takes: "nothing" }];
}

/** The text to be read by a shell: `source <(microengine completion bash)`. Throws ConfigFault SHELL_UNKNOWN. */
export function completionFor(shell: string | undefined, commands: readonly CompletedCommand[]): string {
  if (shell === "bash") return bash(commands);
  if (shell === "zsh")
    return `#compdef microengine\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
  if (shell === "fish") return fish(commands);
  const what = shell === undefined ? "Which shell?" : `There is no completion for "${shell}".`;
  throw new ConfigFault("SHELL_UNKNOWN", what, {
    hint: `Type: microengine completion ${SHELLS.join("|")}`,
  });
}

function bash(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const cases = commands.map((command) => {
    const options = optionsOf(command);
    const flags = options.map(({ flag }) => `--${flag}`).join(" ");
    const withText = options.filter(({ takes }) => takes === "text").map(({ flag }) => `--${flag}`);
    return `    ${command.name}) flags="${flags}"; text=" ${withText.join(" ")} " ;;`;
  });
  return [
    "_microengine() {",
    `  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" flags="" text=""`,
    '  if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "$before" = help ]; }; then',
    `    COMPREPLY=($(compgen -W "${names} help completion" -- "$word"))`,
    "    return",
    "  fi",
    `  case "\${COMP_WORDS[1]}" in`,
    ...cases,
    `    completion) COMPREPLY=($(compgen -W "${SHELLS.join(" ")}" -- "$word")); return ;;`,
    "  esac",
    '  case "$text" in *" $before "*) return ;; esac',
    '  case "$word" in',
    '    -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;',
    '    *) COMPREPLY=($(compgen -f -- "$word")) ;;',
    "  esac",
    "}",
    "complete -o filenames -F _microengine microengine",
    "",
  ].join("\n");
}

function fish(commands: readonly CompletedCommand[]): string {
  const first = "complete -c microengine -n __fish_use_subcommand -f";
  const lines = commands.flatMap((command) => [
    `${first} -a ${command.name} -d ${quoted(command.summary)}`,
    ...optionsOf(command).map(({ flag, help, takes }) => {
      const value = { nothing: "", files: " -r -F", text: " -x" }[takes];
      const where = `__fish_seen_subcommand_from ${command.name}`;
      return `complete -c microengine -n ${quoted(where)} -l ${flag}${value} -d ${quoted(help)}`;
    }),
  ]);
  const shells = `complete -c microengine -n ${quoted("__fish_seen_subcommand_from completion")} -f -a ${quoted(SHELLS.join(" "))}`;
  return [...lines, `${first} -a ${quoted("help completion")}`, shells, ""].join("\n");
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
