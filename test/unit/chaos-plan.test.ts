import { expect, it } from "vitest";
import { PHASES, planBlows, TARGETS } from "../chaos/plan.ts";

const SETTINGS = { restBlocks: 20, maxDelayMs: 400 };

it.each(PHASES)(
  "the blows of the phase %j come out the same for the same seed, and differently for another",
  (phase) => {
    expect(planBlows(7, phase, 50, SETTINGS)).toEqual(planBlows(7, phase, 50, SETTINGS));
    expect(planBlows(8, phase, 50, SETTINGS)).not.toEqual(planBlows(7, phase, 50, SETTINGS));
  },
);

it("a run that is cut short begins with the blows of the longer one", () => {
  expect(planBlows(7, "all", 9, SETTINGS)).toEqual(planBlows(7, "all", 50, SETTINGS).slice(0, 9));
});

it("a hundred kills of the producer fall on every state alike", () => {
  const blows = planBlows(7, "producer", 100, SETTINGS);
  const times = TARGETS.map((state) => blows.filter((blow) => blow.state === state).length);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(9);
  expect(Math.max(...times)).toBeLessThanOrEqual(10);
});

it("some fall the moment the state is written down and some within the longest delay", () => {
  const delays = planBlows(7, "producer", 100, SETTINGS).map(({ delayMs }) => delayMs);
  expect(delays.filter((delayMs) => delayMs === 0).length).toBeGreaterThan(25);
  expect(delays.filter((delayMs) => delayMs > 0).length).toBeGreaterThan(25);
  expect(Math.max(...delays)).toBeLessThan(400);
});

it("every fifth blow is preceded by a long rest, the first one too", () => {
  const rests = planBlows(7, "producer", 20, SETTINGS).map(({ restBlocks }) => restBlocks === 20);
  expect(rests).toEqual(Array.from({ length: 20 }, (_, index) => index % 5 === 0));
});

it("all victims take turns when all are meant, and a line that is cut stays cut for a while", () => {
  const blows = planBlows(7, "all", 8, SETTINGS);
  const turn = ["producer", "consumer", "redis", "network"];
  expect(blows.map(({ victim }) => victim)).toEqual([...turn, ...turn]);
  for (const { victim, downBlocks } of blows) {
    if (victim === "network") expect(downBlocks).toBeGreaterThanOrEqual(2);
  }
});
