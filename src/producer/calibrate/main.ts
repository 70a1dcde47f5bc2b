/** Composition root of `calibrate`: what the ledger says of verdicts given before, printed. Reads only. */
import { join } from "node:path";
import type { CalibrateConfig } from "../../config/commands/calibrate.ts";
import { silenceBy } from "../../domain/silence.ts";
import { newestSettled } from "../../ledger/read/history.ts";
import { openReadOnly } from "../../ledger/sqlite/read-only.ts";
import { NOTHING_SETTLED, renderCalibration } from "./render.ts";
import { reportOn } from "./report.ts";

/** Resolves to the exit code. Throws ConfigFault when there is no ledger to read. */
export async function runCalibrate(
  config: CalibrateConfig,
  print: (text: string) => unknown,
): Promise<number> {
  using db = openReadOnly(join(config.dataDir, "ledger.sqlite"));
  const report = reportOn(newestSettled(db, config.newest), silenceBy(config.benign));
  if (config.json) print(`${JSON.stringify(report, tidy)}\n`);
  else print(report.settled === 0 ? `${NOTHING_SETTLED}\n` : renderCalibration(report));
  return 0;
}

/** A field without a value is there all the same; six decimals are more than the figures are worth. */
function tidy(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 1e6) / 1e6 : (value ?? null);
}
