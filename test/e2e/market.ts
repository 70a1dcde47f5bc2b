import { join } from "node:path";
import { z } from "zod";
import { systemClock } from "../../src/domain/instant.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { LedgerSummary } from "../../src/ledger/records.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { createLogger } from "../../src/observe/log.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import type { SandboxOptions } from "../../src/sandbox/sandbox-options.ts";
import { paced } from "../fixtures/busy-machine.ts";
import { afterThisTest } from "./leash.ts";

export const EICAR = Buffer.from(
  ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].join(""),
);
export const REWARD = nct(5n * ONE_NCT);

/**
 * Windows, in blocks, that the busiest machine meets. Nobody waits for them to end: as soon as everybody did what they are
 * for, `skipToReveals` and `skipToVotes` are there.
 */
export const WIDE = { durationBlocks: 90, revealWindow: 90, voteWindow: 90 } as const;

/**
 * A quick marketplace whose ambassador waits to be told, with a funded wallet in `folder`. Gone after the test. Times are
 * those of a quiet machine.
 */
export async function openMarket(folder: string, options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const { blockTimeMs = 500, bountyIntervalMs = 500 } = options;
  const sandbox = await startSandbox({
    durationBlocks: 12,
    revealWindow: 8,
    voteWindow: 12,
    arbiters: 3,
    rivals: 1,
    rivalAccuracy: 0.5,
    rivalStakeNct: nct(ONE_NCT / 4n),
    artifactsPerBounty: 1,
    rewardNct: REWARD,
    opens: "when-told" as const,
    port: 0,
    seed: 11,
    walletDir: join(folder, "wallet"),
    logger: createLogger({ level: "silent", format: "json", name: "sandbox" }),
    ...options,
    blockTimeMs: paced(blockTimeMs),
    bountyIntervalMs: paced(bountyIntervalMs),
  });
  afterThisTest(() => sandbox[Symbol.asyncDispose]());
  return sandbox;
}

const Posted = z.object({ expirationBlock: z.bigint().transform(Number) });

/** Mines what is missing before every bounty so far can be revealed. */
export async function skipToReveals({ chain }: Sandbox, blocks = 0): Promise<void> {
  const head = await chain.head();
  const posted = (await chain.logs(0, head)).filter(({ event }) => event === "NewBounty");
  const expirations = posted.map(({ args }) => Posted.parse(args).expirationBlock);
  const missing = Math.max(...expirations) + blocks - head;
  if (missing > 0) await chain.rpc("anvil_mine", [`0x${missing.toString(16)}`]);
}

/** Mines what is missing before every bounty so far can be voted on, whoever has not revealed. */
export async function skipToVotes(sandbox: Sandbox): Promise<void> {
  const { call, contracts } = sandbox.chain;
  const [window] = await call(contracts.registry, "assertionRevealWindow", []);
  await skipToReveals(sandbox, Number(z.bigint().parse(window)));
}

export function readLedger(folder: string): LedgerSummary {
  using ledger = openLedger(join(folder, "data", "ledger.sqlite"), systemClock);
  return ledger.summary();
}

/** How often the account of the sandbox's wallet did each thing, as the chain has it. */
export async function deedsOnChain(sandbox: Sandbox): Promise<Record<string, number>> {
  const logs = await sandbox.chain.logs(0, await sandbox.chain.head());
  const ours = (value: unknown) => String(value).toLowerCase() === sandbox.account?.toLowerCase();
  const deeds = logs.filter(({ args }) => ours(args.author) || ours(args.settler));
  const count = (event: string) => deeds.filter((log) => log.event === event).length;
  return {
    asserted: count("NewAssertion"),
    revealed: count("RevealedAssertion"),
    settled: count("SettledBounty"),
  };
}
