import { expect, it } from "vitest";
import { MAX_IN_FLIGHT } from "../../src/market/polyswarmd/in-flight.ts";
import { type Life, live } from "./life.ts";
import { CELLS, scenarioOf } from "./scenario.ts";

/** Seeds far apart in the matrix; `npm run slow` lives all of it, and `npm run slow -- --seed N` one again. */
const RUNS = 32;
const EVERY = 25;

it("whenever an honest gateway would have taken the reveal in time, it was sent in time, and every stake is settled in the end", async () => {
  const lives: Life[] = [];
  for (let run = 0; run < RUNS; run++) lives.push(await live(scenarioOf((run * EVERY) % CELLS)));
  const lost = lives.filter((life) => life.lost.length > 0);
  expect(lost.map(({ scenario, lost: what }) => `seed ${scenario.seed}: ${what.join("; ")}`)).toEqual([]);
  const sum = (count: (life: Life) => number) => lives.reduce((total, life) => total + count(life), 0);
  // Or nothing would have been seen.
  expect(sum(({ revealable }) => revealable)).toBeGreaterThan(RUNS);
  expect(sum(({ settled }) => settled)).toBe(sum(({ staked }) => staked));
  for (const { requests } of lives) expect(requests).toBeLessThanOrEqual(MAX_IN_FLIGHT);
});

it("a life is the same each time that its seed is lived", async () => {
  const scenario = scenarioOf(7);
  expect(await live(scenario)).toEqual(await live(scenario));
});
