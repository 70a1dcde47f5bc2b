import { expect, it } from "vitest";
import { awaitServed, servedChanges, unserved } from "../../src/producer/answering/served-backends.ts";

const queueOf = (served: Set<string>) => ({ served: () => served });
const never = new AbortController().signal;

it("names the backends that no consumer serves", () => {
  expect(unserved(["a", "b", "c"], new Set(["b", "x"]))).toEqual(["a", "c"]);
});

it("waits for consumers that are starting, and no longer than until all are served", async () => {
  const served = new Set(["a"]);
  const waiting = awaitServed(queueOf(served), ["a", "b"], { waitMs: 600_000, signal: never });
  served.add("b");
  expect(await waiting).toEqual([]);
});

it("says at once who is missing where there is nobody to wait for", async () => {
  expect(await awaitServed(queueOf(new Set()), ["a"], { waitMs: 0, signal: never })).toEqual(["a"]);
});

it("waits no longer when it is to stop", async () => {
  const stop = new AbortController();
  const waiting = awaitServed(queueOf(new Set()), ["a"], { waitMs: 600_000, signal: stop.signal });
  stop.abort();
  expect(await waiting).toEqual(["a"]);
});

it("tells each time a backend loses its last consumer or has one again, and nothing at first", () => {
  let served = new Set(["a"]);
  const told: string[] = [];
  const look = servedChanges({
    backends: ["a", "b"],
    queue: { served: () => served },
    onChange: (backend, now) => told.push(`${backend} ${now}`),
  });
  look();
  look();
  expect(told).toEqual([]);
  served = new Set(["b"]);
  look();
  look();
  expect(told).toEqual(["a unserved", "b served"]);
});
