import { expect, it } from "vitest";
import {
  InFlight,
  MAX_IN_FLIGHT,
  MAX_LEFT,
  type SlotShare,
} from "../../src/market/onchain/http/in-flight.ts";
import type { Lane } from "../../src/market/onchain/http/lane.ts";

/** Enters as often as there is room at once; returns how to leave, in the order of coming. */
async function fill(inFlight: InFlight, lane: Lane, share: SlotShare, times: number) {
  const leaving: (() => void)[] = [];
  for (let time = 0; time < times; time++)
    void inFlight.enter(lane, share, undefined).then((leave) => leaving.push(leave));
  await new Promise((resolve) => setImmediate(resolve));
  return leaving;
}

it("never lets more requests on their way than the bound, whoever asks for how many", async () => {
  const inFlight = new InFlight();
  for (const [lane, share] of [
    ["reveal", "reveal"],
    ["reveal", "look"],
    ["settle", "action"],
    ["read", "read"],
    ["settle", "held"],
  ] as const)
    await fill(inFlight, lane, share, 500);
  let calledOff = 0;
  for (let number = 0; number < 500; number++) inFlight.leaveBehind(() => calledOff++);
  expect(calledOff).toBe(500 - MAX_LEFT);
  expect(inFlight.count()).toBe(MAX_IN_FLIGHT);
  expect(MAX_IN_FLIGHT).toBeLessThanOrEqual(128);
});

it("lets a reveal leave at once, however many others wait", async () => {
  const inFlight = new InFlight();
  for (const [lane, share] of [
    ["reveal", "look"],
    ["settle", "action"],
    ["read", "read"],
    ["settle", "held"],
  ] as const)
    await fill(inFlight, lane, share, 500);
  expect(await fill(inFlight, "reveal", "reveal", 1)).toHaveLength(1);
});

it("lets the more urgent of those that share slots leave first", async () => {
  const inFlight = new InFlight();
  const [leave] = await fill(inFlight, "settle", "action", 24);
  const order: Lane[] = [];
  for (const lane of ["settle", "assertion"] as const)
    void inFlight.enter(lane, "action", undefined).then(() => order.push(lane));
  leave!();
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(["assertion"]);
});

it("forgets a request that nobody waits for any more before it leaves", async () => {
  const inFlight = new InFlight();
  const leaving = await fill(inFlight, "reveal", "reveal", 32);
  const signal = AbortSignal.abort(new Error("gone"));
  await expect(inFlight.enter("reveal", "reveal", signal)).rejects.toThrow("gone");
  const later = new AbortController();
  const waiting = inFlight.enter("reveal", "reveal", later.signal);
  later.abort(new Error("gone as well"));
  await expect(waiting).rejects.toThrow("gone as well");
  for (const leave of leaving) leave();
  expect(inFlight.count()).toBe(0);
});
