import { expect, it } from "vitest";
import { rehearse, type Tempo } from "../chaos/rehearse.ts";
import { complaints, isClean } from "../chaos/report.ts";
import { crowded, paced } from "../fixtures/busy-machine.ts";
import { temporaryFolder } from "./engine.ts";

/** The short form of `npm run chaos`: each victim once. */
const SEED = 9;
const KILLS = 4;
const TEMPO: Tempo = {
  // A producer that was killed waits for its lease to lapse, and must find the reveal windows still open.
  // Where others want the processors, its seven processes take longer to come up again than a market that runs on takes to
  // answer: up to twice beside what `openMarket` gives to all, and more in a crowd.
  blockTimeMs: Math.min(paced(250), 500) * crowded(),
  duration: 40,
  revealWindow: 40,
  voteWindow: 16,
  bountyEvery: 3,
  answerBlocks: 20,
  rest: 8,
  patience: 40,
};

it(`loses no stake and misses no bounty while producer, consumers, Redis and line go down (seed ${SEED})`, async () => {
  using folder = temporaryFolder();
  const told = { seed: SEED, phase: "all", kills: KILLS, folder: folder.path } as const;
  const outcome = await rehearse({ ...told, tempo: TEMPO });
  expect(isClean(outcome), complaints(told, outcome).join("\n")).toBe(true);
  expect(outcome.judgement.answerable).toBeGreaterThan(5);
  expect(outcome.judgement.asserted).toBeGreaterThan(5);
});
