import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { systemClock } from "../../src/domain/instant.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { TARGETS } from "../chaos/plan.ts";
import { temporaryFolder } from "../e2e/engine.ts";
import { plainEnvironment } from "../e2e/run-process.ts";
import { GUID } from "../fixtures/bounties.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** How a life ends with this trap set, and the state that the ledger is left in. */
async function liveWith(trap: string): Promise<{ readonly signal: unknown; readonly state: unknown }> {
  using folder = temporaryFolder();
  const file = join(folder.path, "ledger.sqlite");
  const life = spawn(
    process.execPath,
    [`--import=${path("../chaos/trap.ts")}`, path("../fixtures/chaos/life.ts"), file],
    { env: { ...plainEnvironment(), CHAOS_TRAP: trap }, stdio: "ignore" },
  );
  const [, signal] = await once(life, "exit");
  using ledger = openLedger(file, systemClock);
  return { signal, state: ledger.find({ market: "side", guid: GUID })?.state };
}

it.each(TARGETS)("a trap kills the moment a bounty is %s, neither before nor after", async (state) => {
  expect(await liveWith(`${state}:0:armed`)).toEqual({ signal: "SIGKILL", state });
});

it("a trap that nobody armed lets a process live", async () => {
  expect(await liveWith("planned:0:disarmed")).toEqual({ signal: null, state: "settled" });
});
