import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

/** Number, the fault, what ours does, `path`: sentence of each test that holds it. */
type Row = readonly string[];
const rowsOf = (number: RegExp): readonly Row[] =>
  read("docs/reference-faults.md")
    .split("\n")
    .filter((line) => number.test(line))
    .map((line) => line.slice(2, -2).split(" | "));

/** The Python client's, numbered; then those that our own first users, the real gateway and an attacker found. */
const known = rowsOf(/^\| \d+ \|/);
const found = rowsOf(/^\| [A-E]\d+ \|/);

it("the list of the Python client's faults has a row for each of the 91, in order", () => {
  expect(known.map(([number]) => Number(number))).toEqual(
    Array.from({ length: 91 }, (_, index) => index + 1),
  );
  expect(known.filter((row) => row.length !== 4)).toEqual([]);
});

it("the second list has rows for each of the 25 entries, in order", () => {
  const numbers = found.map(([number = ""]) => Number(number.slice(1)));
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(new Set(numbers)).toEqual(new Set(Array.from({ length: 25 }, (_, index) => index + 1)));
  expect(found.filter((row) => row.length !== 4)).toEqual([]);
});

/** What is named and is not there. */
function missingTests([number, , , heldBy = ""]: Row): readonly string[] {
  return heldBy.split("<br>").flatMap((test) => {
    const [, path = "", sentence = ""] = /^`([^`]+)`: (.+)$/.exec(test) ?? [];
    const there = path !== "" && existsSync(new URL(path, ROOT)) && read(path).includes(sentence);
    return there ? [] : [`${number}: ${path} "${sentence}"`];
  });
}

it("each of them is held by tests that exist, or said to be not built", () => {
  const unheld = known.flatMap((row) => {
    const [number, , ours = "", heldBy = ""] = row;
    if (heldBy !== "–") return missingTests(row);
    return ours.startsWith("*Not built*") ? [] : [`${number}: no test`];
  });
  expect(unheld).toEqual([]);
});

it("each of the second list is held by tests that exist", () => {
  expect(found.flatMap(missingTests)).toEqual([]);
});
