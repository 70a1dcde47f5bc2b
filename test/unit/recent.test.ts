import { expect, it } from "vitest";
import { backoff } from "../../src/async/backoff.ts";
import { RecentKeys } from "../../src/async/recent-keys.ts";
import { RecentMap } from "../../src/async/recent-map.ts";

it("a map of the recent forgets the longest unused, as much of it as there is no room for", () => {
  const map = new RecentMap<string>({ most: 10, weigh: ({ length }) => length });
  map.set("a", "1234");
  map.set("b", "1234");
  expect(map.get("a")).toBe("1234");
  map.set("c", "123456");
  expect([map.has("a"), map.has("b"), map.has("c")]).toEqual([true, false, true]);
  map.set("c", "1");
  map.set("d", "12345");
  expect([map.has("a"), map.has("c"), map.has("d")]).toEqual([true, true, true]);
});

it("a map of the recent does not keep what is larger than all of it, nor count it afterwards", () => {
  const map = new RecentMap<string>({ most: 3, weigh: ({ length }) => length });
  map.set("large", "1234");
  expect(map.has("large")).toBe(false);
  map.set("a", "123");
  expect(map.get("a")).toBe("123");
});

it("keys are news again after their time, and a look at one does not make it last", () => {
  let now = 0;
  const told = new RecentKeys(10, { forgetMs: 1_000, now: () => now });
  expect(told.add("a")).toBe(true);
  now = 999;
  expect(told.add("a")).toBe(false);
  now = 1_000;
  expect(told.add("a")).toBe(true);
});

it("with room for one key, everything is news that is not the same as the one before", () => {
  const told = new RecentKeys(1);
  expect(["a", "a", "b", "b", "a"].map((key) => told.add(key))).toEqual([true, false, true, false, true]);
});

it("pauses double with each failure up to the longest, and chance makes them shorter by half at most", () => {
  const terms = { firstMs: 100, longestMs: 1_000 };
  expect([1, 2, 3, 4, 5, 5_000].map((failures) => backoff(failures, terms))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
  expect(backoff(2, { ...terms, random: () => 0 })).toBe(100);
  expect(backoff(2, { ...terms, random: () => 1 })).toBe(200);
});
