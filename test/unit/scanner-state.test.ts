import { pino } from "pino";
import { expect, it } from "vitest";
import { ScannerState } from "../../src/isolation/scanner-state.ts";

function scannerStateAt(clock: { ms: number }) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) });
  return { lines, scannerState: new ScannerState("mine", log, () => clock.ms) };
}

it("logs what a scanner says at the level it says it at, with the name of the backend", () => {
  const { lines, scannerState } = scannerStateAt({ ms: 0 });
  scannerState.told("warn", "Old rules.");
  expect(lines).toMatchObject([{ level: 40, backend: "mine", text: "Old rules.", msg: "scanner.told" }]);
});

it("logs a sentence once that all processes of a scanner say at about the same time", () => {
  const clock = { ms: 0 };
  const { lines, scannerState } = scannerStateAt(clock);
  for (const ms of [0, 900, 9_000]) {
    clock.ms = ms;
    scannerState.told("warn", "Old rules.");
  }
  expect(lines).toHaveLength(1);
  clock.ms = 10_000;
  scannerState.told("warn", "Old rules.");
  scannerState.told("warn", "Other words.");
  expect(lines).toHaveLength(3);
});

it("hands on what was left last", () => {
  const { scannerState } = scannerStateAt({ ms: 0 });
  expect(scannerState.inherited).toBeUndefined();
  scannerState.bequeathed({ rules: 1 });
  scannerState.bequeathed({ rules: 2 });
  expect(scannerState.inherited).toEqual({ rules: 2 });
});
