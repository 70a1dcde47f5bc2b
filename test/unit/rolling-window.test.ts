import fc from "fast-check";
import { expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import { RollingWindow } from "../../src/producer/funds/rolling-window.ts";

const HOUR = 3_600_000;

function aLookBack() {
  const time = { steady: 0, wall: 1_700_000_000_000 };
  const pass = (ms: number): void => {
    time.steady += ms;
    time.wall += ms;
  };
  const rollingWindow = new RollingWindow({ now: () => instant(time.wall) }, () => time.steady);
  return { time, pass, rollingWindow };
}

it("a window begins as long ago as it is wide, while nobody sets the clock", () => {
  const { time, pass, rollingWindow } = aLookBack();
  expect(rollingWindow.since(HOUR)).toBe(time.wall - HOUR);
  pass(5 * HOUR);
  expect(rollingWindow.since(HOUR)).toBe(time.wall - HOUR);
});

it("a clock that is set forwards by a day ends no window early", () => {
  const { time, pass, rollingWindow } = aLookBack();
  pass(HOUR);
  const stake = time.wall;
  pass(HOUR / 2);
  time.wall += 24 * HOUR;
  expect(rollingWindow.since(HOUR)).toBeLessThanOrEqual(stake);
  pass(HOUR / 4);
  expect(rollingWindow.since(HOUR)).toBeLessThanOrEqual(stake);
  pass(HOUR / 2);
  expect(rollingWindow.since(HOUR)).toBeGreaterThan(stake);
});

it("a clock that is set back by an hour leaves nothing out of a window", () => {
  const { time, pass, rollingWindow } = aLookBack();
  pass(2 * HOUR);
  const before = time.wall;
  time.wall -= HOUR;
  const after = time.wall;
  expect(rollingWindow.since(HOUR / 2)).toBeLessThanOrEqual(after);
  pass(HOUR / 2);
  expect(rollingWindow.since(HOUR)).toBeLessThanOrEqual(Math.min(before, after));
  pass(HOUR);
  expect(rollingWindow.since(HOUR)).toBe(time.wall - HOUR);
});

it("no window leaves out what belongs into it, however often the clock is set", () => {
  const step = fc.record({
    passMs: fc.integer({ min: 0, max: 2 * HOUR }),
    setMs: fc.oneof(fc.constant(0), fc.integer({ min: -2 * HOUR, max: 48 * HOUR })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { time, pass, rollingWindow } = aLookBack();
      const stamps: { steady: number; wall: number }[] = [];
      for (const { passMs, setMs } of steps) {
        pass(passMs);
        time.wall += setMs;
        rollingWindow.look();
        stamps.push({ ...time });
        const since = rollingWindow.since(HOUR);
        const within = stamps.filter(({ steady }) => steady >= time.steady - HOUR);
        // Steps of less than a second pass for drift.
        for (const { wall } of within) expect(wall).toBeGreaterThanOrEqual(since - 1_000);
      }
    }),
  );
});
