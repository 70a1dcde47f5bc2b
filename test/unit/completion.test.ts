import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { scanSettings } from "../../src/config/commands/scan.ts";
import { completionFor, SHELLS } from "../../src/config/completion.ts";

const COMMANDS = [
  { name: "consumer", summary: "scans what a producer sends; doesn't sleep", settings: consumerSettings },
  { name: "scan", summary: "scans local files", settings: scanSettings },
];

/** What bash offers for the last of these words. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `eval "$(cat)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _microengine; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const input = completionFor("bash", COMMANDS);
  const told = execFileSync("bash", ["-c", script, "bash", "microengine", ...words], {
    input,
    encoding: "utf8",
  });
  return told.split("\n").filter((word) => word !== "");
}

describe("the completion of the command line", () => {
  it("offers the commands, and those that help knows", () => {
    expect(offered("")).toEqual(["consumer", "scan", "help", "completion"]);
    expect(offered("help", "s")).toEqual(["scan"]);
    expect(offered("completion", "")).toEqual([...SHELLS]);
  });

  it("offers the options of the command that was typed, and none that are not for people", () => {
    expect(offered("scan", "--o")).toEqual(["--only"]);
    expect(offered("consumer", "--on")).toEqual([]);
    expect(offered("consumer", "--emb")).toEqual([]);
  });

  it("offers files where a file is wanted, and nothing where it cannot know", () => {
    expect(offered("scan", "package.j")).toEqual(["package.json"]);
    expect(offered("scan", "--yara-rules", "package.j")).toEqual(["package.json"]);
    expect(offered("scan", "--deadline", "")).toEqual([]);
  });

  it.each(SHELLS)("names every option of every command for %s", (shell) => {
    const text = completionFor(shell, COMMANDS);
    for (const { settings } of COMMANDS)
      for (const { flag, hidden } of Object.values(settings))
        if (hidden !== true) expect(text).toContain(shell === "fish" ? `-l ${flag} ` : `--${flag}`);
  });

  it("is refused for other shells", () => {
    expect(() => completionFor("tcsh", COMMANDS)).toThrow(/no completion for "tcsh"/);
    expect(() => completionFor(undefined, COMMANDS)).toThrow(/Which shell/);
  });
});
