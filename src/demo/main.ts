/**
 * Composition root of `demo`: a sandbox in this process, a producer (with its embedded consumers) in processes of their
 * own, and a screen that shows what becomes of the stakes. Ends when every bounty is either settled or left alone, or
 * after the longest time that the chain's windows allow.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAborted } from "../async/unless-aborted.ts";
import type { DemoConfig } from "../config/commands/demo.ts";
import { Fault } from "../domain/fault.ts";
import { systemClock } from "../domain/instant.ts";
import { nct, ONE_NCT, parseNct } from "../domain/nct.ts";
import { openLedger } from "../ledger/sqlite/open-ledger.ts";
import type { ProcessLog } from "../observe/log.ts";
import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { hasColors } from "../terminal/paint.ts";
import { type Board, isOver, progress, type Told } from "./board.ts";
import { engineLog } from "./engine-log.ts";
import { STARTING, whatFollows, whereItIs } from "./notes.ts";
import { isEverythingSettled, type LedgerTotals, outcomeJson, outcomeOf } from "./outcome.ts";
import { blockMsAt, measureShare, paceNote } from "./pace.ts";
import { ProducerProcess } from "./producer-process.ts";
import { renderOutcome } from "./render.ts";
import { openScreen } from "./screen.ts";

export interface DemoIo {
  readonly log: ProcessLog;
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
}

/** Everything is quick, so that one sees the whole life of a stake. */
const DURATION_BLOCKS = 8;
const REVEAL_BLOCKS = 5;
const VOTE_BLOCKS = 20;
const ARTIFACTS = 2;
/** Beyond this nothing can be outstanding: all windows of the last bounty, and time to start. */
const GRACE_BLOCKS = 30;

/** Resolves to the exit code: 1 when a bounty was not asserted, or a stake left unrevealed or unsettled. */
export async function runDemo(config: DemoConfig, { log, signal, env }: DemoIo): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "microengine-demo-"));
  try {
    return await showMarket(config, folder, { log, signal, env });
  } finally {
    if (config.keep) process.stderr.write(`Kept: ${folder}\n`);
    else await rm(folder, { recursive: true, force: true });
  }
}

async function showMarket(config: DemoConfig, folder: string, io: DemoIo): Promise<number> {
  // With --json standard output belongs to the result.
  const out = config.json ? process.stderr : process.stdout;
  const screen = openScreen(out, {
    color: hasColors(out, io.env),
    // What the engine tells is written between the lines.
    draws: !["trace", "debug", "info"].includes(config.log),
  });
  // At once: what follows may take as long as the producer needs to finish what it has promised.
  if (!io.signal.aborted) io.signal.addEventListener("abort", () => screen.note("Stopping."), { once: true });
  screen.note(STARTING);
  const blockMs = blockMsAt(measureShare());
  const pace = paceNote(blockMs, (longestBlocks(config) * blockMs) / 1_000);
  if (pace !== undefined) screen.note(pace);
  await using sandbox = await openSandbox(config, { folder, blockMs, logger: io.log });
  if (io.signal.aborted) refuseToGoOn();
  screen.note(whereItIs(sandbox.url, config.consumers));

  const showTold = engineLog(io.log);
  let board: Board = new Map();
  const over = Promise.withResolvers<void>();
  const hear = (told: Told): void => {
    const next = progress(board, told);
    if (next === board) return;
    board = next;
    screen.show(board, told.guid);
    if (board.size >= config.bounties && [...board.values()].every(isOver)) over.resolve();
  };
  {
    await using producer = new ProducerProcess({
      flags: producerFlags(config, sandbox, folder),
      env: withoutOurSettings(io.env),
      level: config.log === "trace" || config.log === "debug" ? config.log : "info",
      onTold(told) {
        showTold(told);
        hear(told);
      },
      onText: (text) => screen.note(text),
    });
    await unlessAborted(io.signal, producer.ready(), refuseToGoOn);
    screen.note(whatFollows(config.bounties, blockMs));
    sandbox.open();
    const longest = sleep(longestBlocks(config) * blockMs, undefined, { ref: false });
    const ended = Promise.race([over.promise, producer.watch(), longest]);
    await unlessAborted(io.signal, ended, refuseToGoOn);
  }
  screen.close();
  const outcome = outcomeOf(config.bounties, board, readTotals(folder));
  if (config.json) process.stdout.write(`${outcomeJson(outcome)}\n`);
  else process.stdout.write(`\n${renderOutcome(outcome)}`);
  return isEverythingSettled(outcome) ? 0 : 1;
}

interface Place {
  readonly folder: string;
  readonly blockMs: number;
  readonly logger: ProcessLog;
}

function openSandbox(config: DemoConfig, { folder, blockMs, logger }: Place): Promise<Sandbox> {
  return startSandbox({
    blockTimeMs: blockMs,
    durationBlocks: DURATION_BLOCKS,
    revealWindow: REVEAL_BLOCKS,
    voteWindow: VOTE_BLOCKS,
    arbiters: 3,
    rivals: 2,
    rivalAccuracy: 0.7,
    rivalStakeNct: parseNct("0.5"),
    // One a block.
    bountyIntervalMs: blockMs,
    bounties: config.bounties,
    artifactsPerBounty: ARTIFACTS,
    rewardNct: nct(5n * ONE_NCT),
    opens: "when-told",
    port: 0,
    seed: config.seed,
    walletDir: join(folder, "wallet"),
    logger,
    ...(config.contracts === undefined ? {} : { contractsDir: config.contracts }),
  });
}

function producerFlags(config: DemoConfig, sandbox: Sandbox, folder: string): readonly string[] {
  return [
    ...["--polyswarmd-addr", sandbox.url],
    ...[
      "--keyfile",
      join(folder, "wallet", "keyfile"),
      "--password-file",
      join(folder, "wallet", "password"),
    ],
    ...["--data-dir", join(folder, "data")],
    ...["--embedded", String(config.consumers)],
    // In the sandbox EICAR files are the only malware there is, so that finding nothing does mean something here.
    ...["--backend", "eicar", "--benign", "eicar=0.8"],
    ...["--http-port", "0"],
  ];
}

/** The demo's producer is set up by flags alone: it must not use a KEYFILE of the operator. */
function withoutOurSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { PATH: env.PATH, HOME: env.HOME, TMPDIR: env.TMPDIR, NO_COLOR: env.NO_COLOR };
}

const longestBlocks = ({ bounties }: DemoConfig): number =>
  bounties + DURATION_BLOCKS + REVEAL_BLOCKS + VOTE_BLOCKS + GRACE_BLOCKS;

/** For a demo that was stopped. */
function refuseToGoOn(): never {
  throw new Fault("DEMO_STOPPED", "The demo was stopped before its end.");
}

function readTotals(folder: string): LedgerTotals {
  using ledger = openLedger(join(folder, "data", "ledger.sqlite"), systemClock);
  const { staked, profit, revealed, asserted, settled } = ledger.summary();
  return { asserted, revealed, settled, staked, profit, requestMs: ledger.requestTimes() };
}
