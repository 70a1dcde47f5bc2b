import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const TESTS = fileURLToPath(new URL("../", import.meta.url));

/** A limit of a test's own, or of one of its waits: how long is long depends on what else the machine does. */
const LIMITS = [/^\s*\}, [\d_]+\);/, /\btimeout: [\d_]+/, /\bvi\.wait(For|Until)\(/];

it("no test has a time limit of its own: all wait for what they need, under the one limit of vitest.config.ts", () => {
  const limited = globSync("**/*.{test,trial}.ts", { cwd: TESTS }).flatMap((path) =>
    readFileSync(`${TESTS}/${path}`, "utf8")
      .split("\n")
      .flatMap((line, index) =>
        LIMITS.some((limit) => limit.test(line)) ? [`${path}:${index + 1} ${line.trim()}`] : [],
      ),
  );
  expect(limited).toEqual([]);
});
