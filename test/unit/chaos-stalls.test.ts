import { expect, it } from "vitest";
import { sumUpStalls } from "../chaos/stalls.ts";

it("sums up how long producers stood still from when each was ready, and what came before apart", () => {
  const second = (pid: number, at: number, late = ""): string => `${pid} ${at} 100 ${late}\n`;
  const text = [
    second(1, 1_000, "900"),
    second(1, 3_500, "15,30"),
    second(1, 4_500),
    second(2, 9_000, "400"),
    second(2, 20_000, "70"),
  ].join("");
  const readyAt = new Map([
    [1, 2_000],
    [2, 8_900],
  ]);
  expect(sumUpStalls(text, readyAt)).toEqual({
    looks: 300,
    longestMs: 70,
    p999Ms: 70,
    longestWhileStartingMs: 900,
  });
});

it("takes the worst but one in a thousand for the 99.9th percentile", () => {
  const late = [500, 400, 300, 200].join(",");
  expect(sumUpStalls(`7 9000 2000 ${late}\n`, new Map([[7, 0]]))).toMatchObject({
    longestMs: 500,
    p999Ms: 300,
  });
});
