import { pino } from "pino";
import { expect, it } from "vitest";
import { LoopWatch } from "../../src/observe/loop-watch.ts";
import { createRegistry } from "../../src/observe/metrics.ts";

it("a stall of the event loop is measured, told with its length, and shown in metrics and health", async () => {
  const told: { readonly msg: string; readonly ms: number }[] = [];
  const log = pino({}, { write: (line: string) => void told.push(JSON.parse(line)) });
  const registry = createRegistry("test");
  using watch = new LoopWatch({ registry, log, alarmMs: 300 });
  expect(watch.health()).toEqual({ ok: true });
  const value = async (name: string): Promise<number> => {
    const line = (await registry.metrics()).match(
      new RegExp(`^microengine_event_loop_${name}{role="test"} (.*)$`, "m"),
    );
    return Number(line?.[1]);
  };
  // It has looked: a stall is measured from one look to the next.
  await expect.poll(() => value("stall_max_seconds")).toBeGreaterThan(0);
  const begun = performance.now();
  while (performance.now() - begun < 600);
  await expect.poll(() => told.find(({ msg }) => msg === "loop.stalled")?.ms ?? 0).toBeGreaterThan(500);
  expect(watch.health()).toEqual({
    ok: true,
    detail: expect.stringMatching(/^stood still for \d+\.\d s, \d+\.\d s ago$/),
  });
  expect(await value("stall_max_seconds")).toBeGreaterThan(0.5);
  expect(await value("stall_p999_seconds")).toBeGreaterThan(0.5);
  expect(await value("stalls_total")).toBeGreaterThanOrEqual(1);
});
