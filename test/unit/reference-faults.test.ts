import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

/** Number, the fault, what ours does, `path`: sentence of each test that holds it. */
const rows = read("docs/reference-faults.md")
  .split("\n")
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.slice(2, -2).split(" | "));

it("the list of the Python client's faults has a row for each of the 91, in order", () => {
  expect(rows.map(([number]) => Number(number))).toEqual(Array.from({ length: 91 }, (_, index) => index + 1));
  expect(rows.filter((row) => row.length !== 4)).toEqual([]);
});

it("each of them is held by tests that exist, or said to be not built", () => {
  const unheld = rows.flatMap(([number, , ours = "", heldBy = ""]) => {
    const tests = heldBy.split("<br>").map((test) => /^`([^`]+)`: (.+)$/.exec(test));
    if (tests.length === 1 && heldBy === "–")
      return ours.startsWith("*Not built*") ? [] : [`${number}: no test`];
    return tests.flatMap((test) => {
      const [, path = "", sentence = ""] = test ?? [];
      const there = path !== "" && existsSync(new URL(path, ROOT)) && read(path).includes(sentence);
      return there ? [] : [`${number}: ${path} "${sentence}"`];
    });
  });
  expect(unheld).toEqual([]);
});
