/** Composition root of `sandbox`: a local marketplace that runs until it is told to stop. */
import { once } from "node:events";
import { join } from "node:path";

import type { SandboxConfig } from "../config/sandbox.ts";
import { formatNct } from "../domain/nct.ts";
import type { Logger } from "../observe/log.ts";
import { PURSE, type Sandbox, startSandbox } from "./sandbox.ts";
import type { SandboxOptions } from "./sandbox-options.ts";

export interface SandboxIo {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Where the lines for people go; default standard output. */
  readonly print?: (line: string) => void;
}

/** Runs until the signal aborts; the exit code is 0. Throws ConfigFault for settings that cannot be used. */
export async function runSandbox(config: SandboxConfig, io: SandboxIo): Promise<number> {
  const print = io.print ?? ((line) => process.stdout.write(`${line}\n`));
  await using sandbox = await startSandbox(optionsOf(config, io.log));
  for (const line of welcome(sandbox, config)) print(line);
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
    ...(config.artifacts === undefined ? {} : { artifactsDir: config.artifacts }),
    ...(config.contracts === undefined ? {} : { contractsDir: config.contracts }),
  };
}

function welcome({ url, chain, account }: Sandbox, config: SandboxConfig): string[] {
  const keyfile = join(config.walletDir, "keyfile");
  const password = join(config.walletDir, "password");
  const bounties =
    config.bounties === undefined
      ? `one every ${config.bountyInterval} s`
      : `${config.bounties} in all, from when an engine listens`;
  return [
    `Marketplace  ${url}`,
    `Chain        ${chain.url}, id ${chain.chainId}, a block every ${config.blockTime} s`,
    `Bounties     ${bounties}`,
    `Account      ${account} with ${formatNct(PURSE)} NCT, in ${keyfile}`,
    "",
    "Send an engine to it:",
    `  npm start producer -- --polyswarmd-addr ${url} --keyfile ${keyfile} --password-file ${password}`,
    `  npm start consumer -- --polyswarmd-addr ${url}`,
    "",
  ];
}
