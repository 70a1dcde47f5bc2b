/** Composition root of `sandbox`: a local marketplace that runs until it is told to stop. */
import { once } from "node:events";
import type { SandboxConfig } from "../config/commands/sandbox.ts";
import { isInContainer } from "../config/container-advice.ts";
import type { Logger } from "../observe/log.ts";
import { REAL_HABITS } from "./gateway/shared/as-real.ts";
import { STARTING_BALANCE, startSandbox } from "./sandbox.ts";
import type { SandboxOptions } from "./sandbox-options.ts";
import { unusedDataDir } from "./wallet-dir.ts";
import { welcome } from "./welcome.ts";

export interface SandboxIo {
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where the lines for people go; default standard output. */
  readonly print?: (line: string) => void;
}

/** Runs until the signal aborts; the exit code is 0. Throws ConfigFault for settings that cannot be used. */
export async function runSandbox(config: SandboxConfig, io: SandboxIo): Promise<number> {
  const print = io.print ?? ((line) => process.stdout.write(`${line}\n`));
  await using sandbox = await startSandbox(optionsOf(config, io.log));
  const { url, chain, account } = sandbox;
  const dataDir = unusedDataDir(config.walletDir);
  const place = {
    url,
    chain,
    account,
    reservations: STARTING_BALANCE,
    dataDir,
    inContainer: isInContainer(io.env ?? {}),
  };
  for (const line of welcome(place, config)) print(line);
  void sandbox.done.then(() => {
    const { bounties, engines } = sandbox.report();
    io.log.info({ bounties, engines: engines.length }, "sandbox.done");
  });
  if (!io.signal.aborted) await once(io.signal, "abort");
  return 0;
}

function optionsOf(config: SandboxConfig, logger: Logger): SandboxOptions {
  return {
    blockTimeMs: config.blockTime * 1000,
    durationBlocks: config.duration,
    revealWindow: config.revealWindow,
    voteWindow: config.voteWindow,
    arbiters: config.arbiters,
    rivals: config.rivals,
    rivalAccuracy: config.rivalAccuracy,
    rivalStakeNct: config.rivalStake,
    bountyIntervalMs: config.bountyInterval * 1000,
    artifactsPerBounty: config.artifactsPerBounty,
    rewardNct: config.reward,
    host: config.httpHost,
    port: config.port,
    seed: config.seed,
    fund: config.fund,
    walletDir: config.walletDir,
    logger,
    // A run of so many bounties waits for its engine: what is posted before it listens, it misses.
    ...(config.bounties === undefined ? {} : { bounties: config.bounties, opens: "when-heard" as const }),
    ...(config.asReal ? { asReal: REAL_HABITS } : {}),
    ...(config.artifacts === undefined ? {} : { artifactsDir: config.artifacts }),
    ...(config.contracts === undefined ? {} : { contractsDir: config.contracts }),
  };
}
