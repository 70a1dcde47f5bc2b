import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { timeoutSignal } from "../../src/async/long-timer.ts";
import { systemTimers } from "../../src/async/timers.ts";

const SRC = new URL("../../src/", import.meta.url);

describe("a signal that aborts after a time that was computed", () => {
  it.each([3287.923103043875, 0.1, -1, -0.5, Number.NaN, 2 ** 40, Number.POSITIVE_INFINITY])(
    "is made for %d milliseconds, whatever the number is",
    (ms) => {
      expect(timeoutSignal(ms)).toBeInstanceOf(AbortSignal);
      expect(systemTimers.timeout(ms)).toBeInstanceOf(AbortSignal);
    },
  );

  it.each([0.4, 0, -7])("aborts also where it is %d milliseconds", async (ms) => {
    const signal = timeoutSignal(ms);
    await expect.poll(() => signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: "TimeoutError" });
  });

  it("is the only one in src: the platform's own throws at fractions", () => {
    const modules = globSync("**/*.ts", { cwd: fileURLToPath(SRC) });
    const using = modules.filter((module) =>
      /^(?!\s*(?:\*|\/\/|\/\*)).*AbortSignal\.timeout\(/m.test(readFileSync(new URL(module, SRC), "utf8")),
    );
    expect(using).toEqual(["async/long-timer.ts"]);
  });
});
