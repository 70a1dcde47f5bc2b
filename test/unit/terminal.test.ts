import { expect, it } from "vitest";
import { COLORS, hasColors, PLAIN } from "../../src/terminal/paint.ts";
import { table, tableLines } from "../../src/terminal/table.ts";

it("a table has columns as wide as their widest cells, and nothing behind the last", () => {
  expect(
    table([
      ["a", "long cell", ""],
      ["wider", "b"],
    ]),
  ).toBe("  a      long cell\n  wider  b");
  expect(table([])).toBe("");
});

it("a column of a table can be of a width, and stand to the right", () => {
  const columns = [{ width: 3 }, { align: "right" }] as const;
  expect(
    tableLines(
      [
        ["a", "1"],
        ["bcdef", "100"],
      ],
      columns,
    ),
  ).toEqual(["a      1", "bcdef  100"]);
});

it("colours are shown on a terminal that has them, unless the environment asks for none", () => {
  const terminal = { isTTY: true, hasColors: ({ NO_COLOR = "" }: NodeJS.ProcessEnv) => NO_COLOR === "" };
  expect(hasColors(terminal, {})).toBe(true);
  expect(hasColors(terminal, { NO_COLOR: "1" })).toBe(false);
  expect(hasColors({}, {})).toBe(false);
  expect(COLORS("x", "bad")).toBe("\x1b[31mx\x1b[39m");
  expect(PLAIN("x", "bad")).toBe("x");
});
