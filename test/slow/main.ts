/**
 * Lives whole lives of bounties with gateways that are slow in every way there is, and sees whether a stake was lost.
 *
 *     npm run slow                    every cell of the matrix once, then the sandbox behind a slow gateway
 *     npm run slow -- --seed 7        one life, the one that showed something before
 *     npm run slow -- --runs 5000     more seeds
 *
 * --seed     of one life, printed where something was lost
 * --runs     how many lives, with the seeds 0, 1, 2, ...
 * --model    only the model, without the sandbox
 *
 * Exit code 1 when a reveal that an honest gateway would have taken in time was not sent in time, when a stake was not
 * settled in the end, or when the sandbox's bounties were not all asserted, revealed and settled.
 */
import { parseArgs } from "node:util";
import { type Life, live } from "./life.ts";
import { BOUNTIES, liveOnSandbox } from "./sandbox.ts";
import { CELLS, scenarioOf } from "./scenario.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    runs: { type: "string", default: String(CELLS) },
    model: { type: "boolean", default: false },
  },
});

const seeds =
  values.seed === undefined
    ? Array.from({ length: Number(values.runs) }, (_, seed) => seed)
    : [Number(values.seed)];
const lives: Life[] = [];
for (const seed of seeds) {
  const life = await live(scenarioOf(seed));
  lives.push(life);
  if (life.lost.length > 0)
    console.log(`seed ${seed}: ${life.lost.join("; ")} ${JSON.stringify(life.scenario)}`);
  if (values.seed !== undefined) console.log(life);
}
const sum = (count: (life: Life) => number): number => lives.reduce((total, life) => total + count(life), 0);
console.table({
  model: {
    runs: lives.length,
    stakes: sum(({ staked }) => staked),
    "revealable in time": sum(({ revealable }) => revealable),
    revealed: sum(({ revealed }) => revealed),
    settled: sum(({ settled }) => settled),
    lost: sum(({ lost }) => lost.length),
    "requests at once": lives.reduce((most, { requests }) => Math.max(most, requests), 0),
    seeds: seeds.length === 1 ? `${seeds[0]}` : `0 to ${seeds.length - 1}`,
  },
});
if (lives.some(({ lost }) => lost.length > 0)) process.exitCode = 1;

if (!values.model && values.seed === undefined) {
  const { asserted = 0, revealed = 0, settled = 0 } = await liveOnSandbox();
  console.log("sandbox, blocks of 1 s, assertion reads of 0.7 s, receipts of 9 s:");
  console.log(`asserted ${asserted}, revealed ${revealed}, settled ${settled}`);
  if ([asserted, revealed, settled].some((count) => count !== BOUNTIES)) process.exitCode = 1;
}
