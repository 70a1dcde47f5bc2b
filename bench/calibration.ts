/**
 * How good the verdicts of each distillation engine are on simulated backends of known accuracy, some of which copy each
 * other: after 2,000 settled artifacts, over 20,000 more that nobody learned from. Prints the expected calibration error
 * and the log loss of every engine, and how long learning and distilling take.
 */
import { bayes } from "../src/distill/bayes.ts";
import type { DistillEngine, Knowledge } from "../src/distill/contract.ts";
import { learn, MOST_PRECEDENTS } from "../src/distill/experience/learn.ts";
import { NOTHING_LEARNED } from "../src/distill/experience/reliability.ts";
import { type Score, scoreOf } from "../src/distill/experience/scoring.ts";
import { lean } from "../src/distill/lean.ts";
import { any, majority } from "../src/distill/votes.ts";
import { type Ppm, ppm, ratioOf } from "../src/domain/verdict.ts";
import { average } from "../test/fixtures/average-engine.ts";
import { type SimulatedArtifact, settle, simulate } from "../test/fixtures/simulated-engines.ts";

const SETTLED = 2_000;
const FRESH = 20_000;
const SEEDS = [1, 2, 3, 4, 5];
/** What the engine promises. */
const LIMIT = 0.03;

const silence = new Map<string, Ppm>([["quiet", ppm(0.75)]]);

function scored(engine: DistillEngine, artifacts: readonly SimulatedArtifact[], knowledge: Knowledge): Score {
  return scoreOf(
    artifacts.map(({ malicious, testimony }) => ({
      malicious,
      probability: ratioOf(engine.distill(testimony, knowledge).probability),
    })),
  )!;
}

const row = (cells: readonly string[]) =>
  `${cells
    .map((cell) => cell.padEnd(18))
    .join("")
    .trimEnd()}\n`;
const told = ({ calibrationError, logLoss }: Score) =>
  `${calibrationError.toFixed(4)} / ${logLoss.toFixed(4)}`;

let failed = false;
process.stdout.write(`calibration error / log loss over ${FRESH} artifacts after ${SETTLED} settled ones\n`);
process.stdout.write(row(["seed", "bayes", "bayes, untaught", "lean", "average", "majority", "any"]));
for (const seed of SEEDS) {
  const history = simulate(SETTLED, seed).map((artifact) => settle(artifact));
  const fresh = simulate(FRESH, seed + 1_000);
  const untaught: Knowledge = { silence, reliability: NOTHING_LEARNED };
  const taught = scored(bayes, fresh, { silence, reliability: learn(history, () => silence) });
  const others = [bayes, lean, average, majority, any].map((engine) => scored(engine, fresh, untaught));
  failed ||= taught.calibrationError >= LIMIT || others.some(({ logLoss }) => logLoss <= taught.logLoss);
  process.stdout.write(row([`${seed}`, told(taught), ...others.map(told)]));
}

const most = simulate(MOST_PRECEDENTS, 7).map((artifact) => settle(artifact));
const start = performance.now();
const reliability = learn(most, () => silence);
const learned = performance.now();
for (const { testimony } of simulate(1_000, 8)) bayes.distill(testimony, { silence, reliability });
const [learnMs, distilMs] = [learned - start, performance.now() - learned];
process.stdout.write(
  `learning ${MOST_PRECEDENTS} artifacts took ${learnMs.toFixed(0)} ms, making and distilling one ${distilMs.toFixed(0)} us\n`,
);
process.exitCode = failed ? 1 : 0;
