import { join } from "node:path";
import { systemClock } from "../../src/domain/chain.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { openLedger } from "../../src/ledger/ledger.ts";
import type { LedgerSummary } from "../../src/ledger/records.ts";
import { createLogger } from "../../src/observe/log.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import type { SandboxOptions } from "../../src/sandbox/sandbox-options.ts";

export const EICAR = Buffer.from(
  ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].join(""),
);
export const REWARD = nct(5n * ONE_NCT);

/** A quick marketplace whose ambassador waits to be told, with a funded wallet in `folder`. */
export const openMarket = (folder: string, options: Partial<SandboxOptions> = {}): Promise<Sandbox> =>
  startSandbox({
    ...{ blockTimeMs: 500, durationBlocks: 12, revealWindow: 8, voteWindow: 12, arbiters: 3 },
    ...{ rivals: 1, rivalAccuracy: 0.5, rivalStakeNct: nct(ONE_NCT / 4n), artifactsPerBounty: 1 },
    ...{ rewardNct: REWARD, bountyIntervalMs: 500, opens: "when-told" as const, port: 0, seed: 11 },
    walletDir: join(folder, "wallet"),
    logger: createLogger({ level: "silent", format: "json", name: "sandbox" }),
    ...options,
  });

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
