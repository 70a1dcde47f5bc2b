import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { LONGEST } from "../fixtures/longest-first.ts";

it("the test files that are to run first are there", () => {
  const root = new URL("../../", import.meta.url);
  expect(LONGEST.filter((file) => !existsSync(fileURLToPath(new URL(file, root))))).toEqual([]);
});
