import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { afterProcessorTime, waitedForProcessor } from "../../src/isolation/process/processor-wait.ts";

const over = (ms: number, waitedMs: () => number): Promise<number> => {
  const from = performance.now();
  return new Promise((resolve) => {
    afterProcessorTime(ms, waitedMs, () => resolve(performance.now() - from));
  });
};

it("time is over when it has passed, for a process that never had to wait", async () => {
  expect(await over(20, () => 0)).toBeLessThan(2_000);
});

it("time that a process had to wait for a processor is not counted, however late that is known", async () => {
  const waited = [100, 150];
  expect(await over(20, () => waited.shift() ?? 150)).toBeGreaterThanOrEqual(170);
});

it("nobody hears of time that was called off", async () => {
  const heard: string[] = [];
  const stop = afterProcessorTime(
    10,
    () => 0,
    () => heard.push("called off"),
  );
  stop();
  await over(20, () => 0);
  expect(heard).toEqual([]);
});

/** Whether the system counts is its own affair. */
it("a process that is gone has not waited, and one that runs has waited for no negative time", async () => {
  const child = spawn("true");
  await once(child, "exit");
  expect(waitedForProcessor(child.pid!)).toBe(0);
  expect(waitedForProcessor(process.pid)).toBeGreaterThanOrEqual(0);
});
