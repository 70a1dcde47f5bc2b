import { expect, it } from "vitest";
import { MAX_IN_FLIGHT } from "../../src/market/onchain/http/in-flight.ts";
import { type Life, live } from "./life.ts";
import { CELLS, scenarioOf } from "./scenario.ts";

/** Seeds far apart in the matrix; `npm run slow` lives all of it, and `npm run slow -- --seed N` one again. */
const RUNS = 30;
const EVERY = 32;
/** Lives that were lost when a reveal waited for the confirmation of its post. */
const TOLD = [214, 286];
const SEEDS = [...TOLD, ...Array.from({ length: RUNS - TOLD.length }, (_, run) => (run * EVERY) % CELLS)];

it("whenever an honest gateway would have taken the reveal in time, it was sent in time, and every stake is settled in the end", async () => {
  const lives: Life[] = [];
  for (const seed of SEEDS) lives.push(await live(scenarioOf(seed)));
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

it("forty stakes that are due in the same blocks are revealed while receipts and lists of assertions take longer than the window", async () => {
  const crowd = { bounties: 40, atOnce: 40, durationBlocks: 9, revealWindow: 10, blockMs: 1_000 };
  const slow = {
    slow: ["receipts", "list", "single"],
    factor: 12,
    phase: "always",
    trouble: "none",
    deaf: 1,
  } as const;
  const life = await live({ ...scenarioOf(1), ...crowd, ...slow });
  expect(life).toMatchObject({ staked: 40, revealed: 40, settled: 40, lost: [] });
});

it("stakes whose receipts are slow and whose assertions no list shows are revealed where they can be tried", async () => {
  const crowd = { bounties: 6, durationBlocks: 9, revealWindow: 10, blockMs: 1_000, hidden: true };
  const slow = { slow: ["receipts"], factor: 60, phase: "always", trouble: "none", deaf: 1 } as const;
  const life = await live({ ...scenarioOf(1), ...crowd, ...slow });
  expect(life).toMatchObject({ staked: 6, revealed: 6, settled: 6, lost: [] });
});
