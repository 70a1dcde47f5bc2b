import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { calibrateSettings } from "../../src/config/commands/calibrate.ts";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { demoSettings } from "../../src/config/commands/demo.ts";
import { initSettings } from "../../src/config/commands/init.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { recoverSettings } from "../../src/config/commands/recover.ts";
import { sandboxSettings } from "../../src/config/commands/sandbox.ts";
import { scanSettings } from "../../src/config/commands/scan.ts";
import { foldPhrases } from "../../src/config/values/phrases.ts";
import { readSettings, type SettingsTable } from "../../src/config/values/settings.ts";

const ROOT = new URL("../../", import.meta.url);
const TABLES: Readonly<Record<string, SettingsTable>> = {
  demo: demoSettings,
  producer: producerSettings,
  consumer: consumerSettings,
  recover: recoverSettings,
  calibrate: calibrateSettings,
  sandbox: sandboxSettings,
  scan: scanSettings,
  init: initSettings,
};

/** Every command with options that a guide shows, continued lines joined. */
const shown = ["README.md", ...readdirSync(new URL("docs/", ROOT)).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith(".md"))
  .flatMap((name) => {
    const text = readFileSync(new URL(name, ROOT), "utf8").replaceAll(/\\\n\s*/g, "");
    return [...text.matchAll(/npm start (\w+) -- ([^`\n]*)/g)].map(
      ([, program, options]) => [name, program!, options!] as const,
    );
  });

/** By flag, as the command line gives them. */
function flagsIn(options: string, table: SettingsTable): Record<string, string[] | true> {
  const words = [...options.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain!,
  );
  const flags: Record<string, string[] | true> = {};
  const folded = foldPhrases(words, [table]);
  for (const [at, word] of folded.entries()) {
    const flag = /^--([a-z-]+)$/.exec(word)?.[1];
    if (flag === undefined) continue;
    const before = flags[flag];
    const value = folded[at + 1];
    const alone = value === undefined || value.startsWith("--");
    flags[flag] = alone ? true : [...(Array.isArray(before) ? before : []), value];
  }
  return flags;
}

it("finds the commands of the guides", () => {
  expect(shown.length).toBeGreaterThan(8);
});

it.each(shown)("%s shows a command that is understood: %s %s", (_, program, options) => {
  const table = TABLES[program]!;
  const { help: _help, ...flags } = flagsIn(options, table);
  const known = Object.values(table).map(({ flag }) => flag);
  expect(known).toEqual(expect.arrayContaining(Object.keys(flags)));
  expect(() => readSettings(table, { flags, env: {} })).not.toThrow();
});

it("shows every --benign as it is read", () => {
  const guide = readFileSync(new URL("docs/writing-a-scanner.md", ROOT), "utf8");
  const values = [...guide.matchAll(/--benign ([^\s`]+)/g)].map(([, value]) => value!);
  expect(values).not.toEqual([]);
  for (const value of values) {
    expect(() => readSettings(producerSettings, { flags: { benign: [value] }, env: {} })).not.toThrow();
  }
});
