/**
 * Kills the engine in every way there is while bounties keep coming, and sees whether a stake was lost.
 *
 *     npm run chaos                                     every phase: 100 kills of the producer, 12 of each other victim
 *     npm run chaos -- --seed 7 --phase producer        one phase, and the seed that showed something before
 *
 * --phase   producer, consumers, redis, network (cuts instead of kills), or all (all victims by turns); repeatable
 * --kills   how many in each phase
 * --seed    chooses moments, victims and contents; printed, so that a run can be repeated
 * --keep    leaves ledger and logs in a folder, and names it
 *
 * Exit code 1 when an assertion was doubled, not revealed or not settled, an answerable bounty missed, or a process of
 * the engine ended by itself, or a producer's event loop stood still for a second (one look in a thousand: 100 ms). One
 * bounty in four has metadata that was made to cost its readers time (hostile-claims.ts). All figures come from the chain; see referee.ts for what counts as answerable.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PHASES, type Phase } from "./plan.ts";
import { type Outcome, rehearse, type Tempo } from "./rehearse.ts";
import { complaints, figures, isClean, isQuick, killsByState, stallLine, type Told } from "./report.ts";

const TEMPO: Tempo = {
  // Five kills in a row and the starts after them can take half a minute; a reveal must be possible in between.
  blockTimeMs: 400,
  duration: 60,
  revealWindow: 100,
  voteWindow: 30,
  bountyEvery: 5,
  answerBlocks: 20,
  rest: 24,
  patience: 60,
};
const KILLS: Readonly<Record<Phase, number>> = {
  producer: 100,
  consumers: 12,
  redis: 12,
  network: 12,
  all: 16,
};

function readOptions() {
  const { values } = parseArgs({
    options: {
      phase: { type: "string", multiple: true, default: PHASES.filter((phase) => phase !== "all") },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      kills: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  const phases = PHASES.filter((phase) => values.phase.includes(phase));
  const wrong = values.phase.filter((phase) => !phases.includes(phase as Phase));
  if (wrong.length > 0) throw new Error(`no such phase: ${wrong.join(", ")}; there are ${PHASES.join(", ")}`);
  return { phases, seed: Number(values.seed), kills: values.kills, keep: values.keep };
}

async function perform(told: Told): Promise<Outcome> {
  let at = performance.now();
  return rehearse({
    ...told,
    tempo: TEMPO,
    onBlow({ victim, state, delayMs, downBlocks }, index) {
      const tookMs = Math.round(performance.now() - at);
      at = performance.now();
      const when = delayMs === 0 ? state : `${state} +${delayMs} ms`;
      console.log(`${index + 1}/${told.kills} ${victim} at ${when}, down ${downBlocks} blocks, ${tookMs} ms`);
    },
  });
}

const { phases, seed, kills, keep } = readOptions();
const rows: Record<string, ReturnType<typeof figures>> = {};
for (const phase of phases) {
  const folder = mkdtempSync(join(tmpdir(), `microengine-chaos-${phase}-`));
  const told: Told = { seed, phase, kills: Number(kills ?? KILLS[phase]), folder };
  console.log(`phase ${phase}, seed ${seed}, ${told.kills} kills${keep ? `, logs in ${folder}` : ""}`);
  const outcome = await perform(told);
  rows[phase] = figures(told, outcome);
  if (phase === "producer" || phase === "all") console.table(killsByState(outcome));
  for (const line of complaints(told, outcome)) console.log(line);
  console.log(stallLine(outcome));
  if (!isClean(outcome) || !isQuick(outcome)) process.exitCode = 1;
  if (!keep) rmSync(folder, { recursive: true, force: true });
}
console.table(rows);
