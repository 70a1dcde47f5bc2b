import { describe, expect, it } from "vitest";
import { Semaphore } from "../../src/async/semaphore.ts";
import { LANES, type Lane } from "../../src/market/onchain/http/lane.ts";
import { Pacer } from "../../src/market/onchain/http/pacing.ts";

const LEAST_FIRST: Lane[] = ["read", "settle", "assertion", "reveal"];

describe("the gate", () => {
  it("lets everybody pass at once while it is open", async () => {
    const pacer = new Pacer({ spacingMs: 60_000 });
    await Promise.all(LEAST_FIRST.map((lane) => pacer.pass(lane, undefined)));
  });

  it("lets the waiting pass one by one when it opens again, the most urgent first", async () => {
    const pacer = new Pacer({ spacingMs: 1 });
    pacer.close(10);
    const passed: Lane[] = [];
    await Promise.all(LEAST_FIRST.map((lane) => pacer.pass(lane, undefined).then(() => passed.push(lane))));
    expect(passed).toEqual(LEAST_FIRST.toReversed());
  });

  it("stays closed for as long as the longest order says", async () => {
    const pacer = new Pacer({ spacingMs: 1 });
    const began = performance.now();
    pacer.close(40);
    pacer.close(1);
    await pacer.pass("read", undefined);
    expect(performance.now() - began).toBeGreaterThan(35);
  });

  it("closes for the urgent no longer than they can afford, and they still pass one by one", async () => {
    const longestPauseMs = { reveal: 20, assertion: 40, settle: 60_000, read: 60_000 };
    const pacer = new Pacer({ spacingMs: 20, longestPauseMs });
    const began = performance.now();
    const passed: [Lane, number][] = [];
    const pass = (lane: Lane) =>
      pacer.pass(lane, undefined).then(() => passed.push([lane, performance.now() - began]));
    pacer.close(60_000);
    const patient = [pass("read"), pass("settle")];
    await Promise.all([pass("assertion"), pass("reveal"), pass("reveal")]);
    await pass("reveal");
    expect(passed.map(([lane]) => lane)).toEqual(["reveal", "reveal", "assertion", "reveal"]);
    const [first = 0, second = 0, third = 0] = passed.map(([, ms]) => ms);
    // None passes early; how late they are, and so how close together, depends on who else is at work.
    expect([first > 18, second > 35, third > 38, third < 10_000]).toEqual([true, true, true, true]);
    pacer.release();
    await Promise.all(patient);
  });

  it("is open again when the longest pause is over", async () => {
    const pacer = new Pacer({
      spacingMs: 1,
      longestPauseMs: { reveal: 1, assertion: 2, settle: 3, read: 20 },
    });
    pacer.close(60_000);
    await pacer.pass("read", undefined);
    await Promise.all(LEAST_FIRST.map((lane) => pacer.pass(lane, undefined)));
  });

  it("hands over among thousands of waiting in the order of coming", async () => {
    const pacer = new Pacer({ spacingMs: 0 });
    pacer.close(5);
    const passed: number[] = [];
    await Promise.all(
      Array.from({ length: 2_000 }, (_, index) =>
        pacer.pass("read", undefined).then(() => passed.push(index)),
      ),
    );
    expect(passed).toEqual(passed.toSorted((a, b) => a - b));
  });

  it("lets go of those who no longer want to pass, and keeps no place for them", async () => {
    const pacer = new Pacer({ spacingMs: 60_000 });
    pacer.close(10);
    const gone = new AbortController();
    const leaving = pacer.pass("reveal", gone.signal);
    const staying = pacer.pass("read", undefined);
    gone.abort(new Error("gone"));
    await expect(leaving).rejects.toThrow("gone");
    await staying;
    pacer.release();
  });
});

describe("the mutex", () => {
  it("runs one task at a time, the most urgent of the waiting next, also after a failure", async () => {
    const mutex = new Semaphore<Lane>(1, LANES);
    const began: string[] = [];
    const held = Promise.withResolvers<void>();
    const task = (name: string, lane: Lane, until: Promise<void>) =>
      mutex.run(lane, async () => {
        began.push(name);
        await until;
      });
    const first = task("first", "read", held.promise);
    const rest = LEAST_FIRST.map((lane) => task(lane, lane, Promise.resolve()));
    expect(began).toEqual(["first"]);
    held.reject(new Error("failed"));
    await expect(first).rejects.toThrow("failed");
    await Promise.all(rest);
    expect(began).toEqual(["first", ...LEAST_FIRST.toReversed()]);
    await task("later", "read", Promise.resolve());
    expect(began.at(-1)).toBe("later");
  });
});
