/** What the exit code of `scan` says; docs/scanning-locally.md has the table. Pure. */
import type { Verdict } from "../domain/verdict.ts";
import type { ReportCounts } from "./render.ts";

interface ScanEnd {
  readonly tally: ReportCounts;
  readonly failOn: readonly Verdict[];
  readonly interrupted: "interrupted" | "complete";
}

const FOUND = 3;
const INCOMPLETE = 1;
const INTERRUPTED = 130;

/** An interruption says most, for nothing is known of the rest; then what was found, then what could not be scanned. */
export function exitCodeOf({ tally, failOn, interrupted }: ScanEnd): number {
  if (interrupted === "interrupted") return INTERRUPTED;
  if (failOn.some((verdict) => tally.verdicts[verdict] > 0)) return FOUND;
  return tally.unreadable + tally.failed > 0 ? INCOMPLETE : 0;
}
