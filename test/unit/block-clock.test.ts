import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../../src/domain/instant.ts";
import { createBlockClock } from "../../src/market/onchain/chain/block-clock.ts";
import { block } from "../../src/market/onchain/port/block.ts";

const START = 1_700_000_000_000;

/** Hears blocks `from` to `to`, made every `blockMs`, each late by what `late` says. */
function hear(
  blockMs: number,
  numbers: readonly number[],
  late: (index: number) => number = () => 0,
  clock = createBlockClock(block(0), instant(START)),
) {
  for (const [index, number] of numbers.entries())
    clock.observe(block(number), instant(START + number * blockMs + late(index)));
  return clock;
}
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe("a block clock", () => {
  it("assumes a second a block until it has heard enough", () => {
    const clock = createBlockClock(block(100), instant(START));
    expect(clock.instantOf(block(110))).toBe(START + 10_000);
    clock.observe(block(101), instant(START + 3));
    expect(clock.blockTimeMs()).toBe(1_000);
  });

  it("learns how long a block takes, whatever that is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 20_000 }), (blockMs) => {
        const clock = hear(blockMs, upTo(20));
        expect(clock.blockTimeMs()).toBeCloseTo(blockMs);
        expect(clock.instantOf(block(50))).toBe(START + 50 * blockMs);
      }),
    );
  });

  it("is not misled by late deliveries: no deadline drifts by more than a few of them", () => {
    const delays = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(delays, (late) => {
        const clock = hear(1_000, upTo(40), (index) => late[index]!);
        expect(Math.abs(clock.blockTimeMs() - 1_000)).toBeLessThan(60);
        expect(Math.abs(clock.instantOf(block(50)) - (START + 50_000))).toBeLessThan(1_500);
      }),
    );
  });

  it("places a coming block by the blocks that were least late, not by the last", () => {
    const clock = hear(1_000, upTo(20), (index) => (index === 19 ? 900 : 0));
    expect(Math.abs(clock.instantOf(block(30)) - (START + 30_000))).toBeLessThan(50);
  });

  it("does not mind blocks that it never heard of", () => {
    const clock = hear(2_000, [3, 4, 9, 10, 11, 25, 26, 40]);
    expect(clock.blockTimeMs()).toBeCloseTo(2_000);
    expect(clock.instantOf(block(45))).toBe(START + 90_000);
  });

  it("takes a burst after an interruption for one late block, not for a fast chain", () => {
    const clock = hear(1_000, upTo(10));
    for (let number = 11; number <= 60; number++)
      clock.observe(block(number), instant(START + 60_000 + number / 10));
    expect(clock.blockTimeMs()).toBeGreaterThan(950);
    expect(clock.blockTimeMs()).toBeLessThan(1_050);
    expect(Math.abs(clock.instantOf(block(70)) - (START + 70_000))).toBeLessThan(500);
  });

  it("adapts when the chain becomes slower", () => {
    const clock = hear(1_000, upTo(30));
    for (let more = 1; more <= 40; more++)
      clock.observe(block(30 + more), instant(START + 30_000 + more * 5_000));
    expect(clock.blockTimeMs()).toBeCloseTo(5_000);
  });

  it("never places a coming block before the newest one was heard of", () => {
    const clock = hear(1_000, upTo(10));
    clock.observe(block(11), instant(START + 100_000));
    expect(clock.instantOf(block(12))).toBeGreaterThanOrEqual(START + 100_000);
  });

  it("is not confused by blocks told twice or out of order", () => {
    const clock = hear(1_000, upTo(10));
    const before = clock.instantOf(block(20));
    clock.observe(block(10), instant(START + 15_000));
    clock.observe(block(7), instant(START + 15_500));
    expect(clock.instantOf(block(20))).toBe(before);
    expect(clock.instantOf(block(8))).toBe(START + 8_000);
  });

  it.each([
    ["forwards by a day", 86_400_000],
    ["forwards by two minutes", 120_000],
    ["back by an hour", -3_600_000],
    ["back by two seconds", -2_000],
  ])("places coming blocks as well as before once the machine's clock was set %s", (_, stepMs) => {
    for (const blockMs of [500, 1_000]) {
      const clock = hear(blockMs, upTo(20));
      for (let number = 21; number <= 60; number++) {
        clock.observe(block(number), instant(START + stepMs + number * blockMs));
        const due = START + stepMs + (number + 20) * blockMs;
        expect(Math.abs(clock.instantOf(block(number + 20)) - due)).toBeLessThan(2.5 * blockMs);
        expect(Math.abs(clock.blockTimeMs() - blockMs)).toBeLessThan(blockMs / 10);
      }
    }
  });

  it("adapts when the chain becomes a hundred times slower, which is no step of the clock", () => {
    const clock = hear(1_000, upTo(10));
    for (let more = 1; more <= 40; more++)
      clock.observe(block(10 + more), instant(START + 10_000 + more * 100_000));
    expect(clock.blockTimeMs()).toBeCloseTo(100_000);
  });

  it("starts over when another chain has begun", () => {
    const clock = createBlockClock(block(5_000), instant(START));
    clock.observe(block(3), instant(START + 60_000));
    expect(clock.instantOf(block(4))).toBe(START + 61_000);
  });
});
