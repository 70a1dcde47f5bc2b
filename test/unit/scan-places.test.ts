import { expect, it } from "vitest";
import { ScanPlaces } from "../../src/consumer/scan-places.ts";

const never = new AbortController().signal;

it("so many scan at a time over all backends, and the others in the order they came", async () => {
  const places = new ScanPlaces(2);
  const first = await places.enter(never, "a");
  const second = await places.enter(never, "a");
  const entered: string[] = [];
  const waiting = ["third", "fourth"].map(async (name) => {
    using _ = await places.enter(never, "a");
    entered.push(name);
  });
  await Promise.resolve();
  expect(entered).toEqual([]);
  first![Symbol.dispose]();
  await Promise.all(waiting);
  expect(entered).toEqual(["third", "fourth"]);
  second![Symbol.dispose]();
});

it("a backend that holds every place keeps no other from scanning one", async () => {
  const places = new ScanPlaces(2);
  await places.enter(never, "hangs");
  await places.enter(never, "hangs");
  const one = await places.enter(never, "answers");
  expect(one).toBeDefined();
  const next = places.enter(never, "answers");
  one![Symbol.dispose]();
  expect(await next).toBeDefined();
});

it("whoever stops waiting leaves the line, and takes nothing", async () => {
  const places = new ScanPlaces(1);
  const first = await places.enter(never, "a");
  const leaving = new AbortController();
  const gone = places.enter(leaving.signal, "a");
  leaving.abort();
  expect(await gone).toBeUndefined();
  expect(await places.enter(leaving.signal, "b")).toBeUndefined();
  first![Symbol.dispose]();
  expect(await places.enter(never, "a")).toBeDefined();
});
