import { rowsOf } from "./ledger-rows.ts";
import { type Phase, TARGETS } from "./plan.ts";
import { offenders } from "./referee.ts";
import type { Outcome } from "./rehearse.ts";

/** What must be zero is zero, and nobody fell by himself. */
export const isClean = ({ judgement, falls }: Outcome): boolean =>
  offenders(judgement).length === 0 && falls.length === 0;

/** The line on how long producers stood still while strangers wrote what they liked. */
export function stallLine({ stalls }: Outcome): string {
  const { longestMs, p999Ms, looks, longestWhileStartingMs } = stalls();
  return (
    `event loop, from ready on: longest stall ${longestMs} ms, 99.9th percentile ${p999Ms} ms, ${looks} looks; ` +
    `while starting: ${longestWhileStartingMs} ms`
  );
}

/** Whether no producer stood still for long; a machine that is busy with something else makes it so, too. */
export function isQuick({ stalls }: Outcome): boolean {
  const { longestMs, p999Ms } = stalls();
  return longestMs < 1_000 && p999Ms < 100;
}

export interface Told {
  readonly seed: number;
  readonly phase: Phase;
  readonly kills: number;
  readonly folder: string;
}

/** The figures of one phase, as columns of a table. */
export function figures({ seed, kills }: Told, { judgement, durationMs, blind, falls, stalls }: Outcome) {
  const { longestMs, p999Ms } = stalls();
  return {
    seed,
    kills,
    bounties: judgement.posted,
    answerable: judgement.answerable,
    asserted: judgement.asserted,
    "double assertions (0)": judgement.doubleAsserted.length,
    "unrevealed (0)": judgement.unrevealed.length,
    "unsettled (0)": judgement.unsettled.length,
    "missed answerable (0)": judgement.missed.length,
    "fell by itself (0)": falls.length,
    "failed transactions": judgement.failed.length,
    "kills without their state": blind,
    "longest stall, ms (< 1000)": longestMs,
    "stall p99.9, ms (< 100)": p999Ms,
    seconds: Math.round(durationMs / 1_000),
  };
}

/** For each state: how many kills waited for it, and how many bounties were found in it by some kill. */
export const killsByState = ({ killed, inFlight }: Outcome) =>
  Object.fromEntries(
    TARGETS.map((state) => [
      state,
      { "kills aimed": killed.get(state) ?? 0, "bounties in it at a kill": inFlight.get(state) ?? 0 },
    ]),
  );

/** What went wrong, bounty by bounty, and how to see it again. */
export function complaints(told: Told, { judgement, falls }: Outcome): readonly string[] {
  const lines: string[] = [];
  for (const { action, guid, block, reverted } of judgement.failed) {
    lines.push(`failed transaction in block ${block}: ${action ?? "approval"} ${guid ?? ""} ${reverted}`);
  }
  for (const { who, code, said } of falls) lines.push(`${who} ended by itself with ${code}: ${said}`);
  for (const guid of offenders(judgement)) {
    const wrongs = Object.entries({
      "asserted twice": judgement.doubleAsserted,
      "not revealed": judgement.unrevealed,
      "not settled": judgement.unsettled,
      "missed though answerable": judgement.missed,
    }).filter(([, guids]) => guids.includes(guid));
    lines.push(`${guid}: ${wrongs.map(([wrong]) => wrong).join(", ")}`);
    const rows = rowsOf(told.folder, guid);
    lines.push(...(rows.length === 0 ? ["not in the ledger"] : rows).map((row) => `    ${row}`));
  }
  const { seed, phase, kills } = told;
  if (lines.length > 0) {
    lines.push(`again: npm run chaos -- --seed ${seed} --phase ${phase} --kills ${kills} --keep`);
  }
  return lines;
}
