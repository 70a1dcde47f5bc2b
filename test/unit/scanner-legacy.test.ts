import { pino } from "pino";
import { expect, it } from "vitest";
import { ScannerLegacy } from "../../src/isolation/scanner-state.ts";

function legacyAt(clock: { ms: number }) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) });
  return { lines, legacy: new ScannerLegacy("mine", log, () => clock.ms) };
}

it("logs what a scanner says at the level it says it at, with the name of the backend", () => {
  const { lines, legacy } = legacyAt({ ms: 0 });
  legacy.told("warn", "Old rules.");
  expect(lines).toMatchObject([{ level: 40, backend: "mine", text: "Old rules.", msg: "scanner.told" }]);
});

it("logs a sentence once that all processes of a scanner say at about the same time", () => {
  const clock = { ms: 0 };
  const { lines, legacy } = legacyAt(clock);
  for (const ms of [0, 900, 9_000]) {
    clock.ms = ms;
    legacy.told("warn", "Old rules.");
  }
  expect(lines).toHaveLength(1);
  clock.ms = 10_000;
  legacy.told("warn", "Old rules.");
  legacy.told("warn", "Other words.");
  expect(lines).toHaveLength(3);
});

it("hands on what was left last", () => {
  const { legacy } = legacyAt({ ms: 0 });
  expect(legacy.inherited).toBeUndefined();
  legacy.bequeathed({ rules: 1 });
  legacy.bequeathed({ rules: 2 });
  expect(legacy.inherited).toEqual({ rules: 2 });
});
