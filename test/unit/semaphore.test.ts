import { setImmediate as once } from "node:timers/promises";
import { expect, it } from "vitest";
import { Semaphore } from "../../src/async/semaphore.ts";

const never = new AbortController().signal;

/** Whether it is settled once everything that can happen by itself has happened. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), once().then(() => false)]);
}

it("lets in as many as there is room for, and the others one by one, the longest waiting first", async () => {
  const gate = new Semaphore(2);
  const [first, second] = [await gate.enter(never), await gate.enter(never)];
  const order: string[] = [];
  const third = gate.enter(never).then(() => order.push("third"));
  const fourth = gate.enter(never).then(() => order.push("fourth"));
  expect(await settled(third)).toBe(false);
  first![Symbol.dispose]();
  await third;
  expect(await settled(fourth)).toBe(false);
  second![Symbol.dispose]();
  await fourth;
  expect(order).toEqual(["third", "fourth"]);
});

it("gives the place of one who leaves to the one who waits, not to a newcomer at the same moment", async () => {
  const gate = new Semaphore(1);
  const first = await gate.enter(never);
  const waiting = gate.enter(never);
  first![Symbol.dispose]();
  const newcomer = gate.enter(never);
  expect(await settled(waiting)).toBe(true);
  expect(await settled(newcomer)).toBe(false);
});

it("lets go of one who stops waiting, whose turn then is the next one's", async () => {
  const gate = new Semaphore(1);
  const first = await gate.enter(never);
  const stop = new AbortController();
  const waiting = gate.enter(stop.signal);
  const next = gate.enter(never);
  stop.abort();
  expect(await waiting).toBeUndefined();
  first![Symbol.dispose]();
  expect(await next).toBeDefined();
  expect(await gate.enter(AbortSignal.abort())).toBeUndefined();
});

it("lets those in first whose key comes first in its order, and those without a place in it last", async () => {
  const gate = new Semaphore<string>(1, ["urgent", "soon"]);
  const first = await gate.enter(never, "soon");
  const order: string[] = [];
  const waiting = ["other", "soon", "urgent", "soon"].map(async (key, index) => {
    using _place = await gate.enter(never, key);
    order.push(`${key} ${index}`);
  });
  first![Symbol.dispose]();
  await Promise.all(waiting);
  expect(order).toEqual(["urgent 2", "soon 1", "soon 3", "other 0"]);
});
