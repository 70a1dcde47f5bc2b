import type { Board, Line } from "./board.ts";
import { isWhole, type Outcome } from "./outcome.ts";

const BAR: Readonly<Record<Line["stage"], string>> = {
  seen: "scanning",
  silent: "silent",
  planned: "posting",
  asserted: "asserted",
  revealed: "revealed",
  missed: "reveal missed",
  settled: "settled",
};

/** One bounty as a line for people. */
export function renderLine(line: Line): string {
  const artifacts = `${line.artifacts} artifact${line.artifacts === 1 ? " " : "s"}`;
  const facts = [
    line.stake === undefined ? "" : `stake ${line.stake}`,
    line.ms === undefined ? "" : `in ${line.ms} ms`,
    line.profit === undefined
      ? ""
      : `${line.profit.startsWith("-") ? "lost" : "won"} ${line.profit.replace("-", "")}`,
    line.right === undefined ? "" : line.right ? "right" : "wrong",
    line.why === undefined ? "" : `(${line.why})`,
  ].filter((fact) => fact !== "");
  return `  ${line.guid.slice(0, 8)}  ${artifacts}  ${BAR[line.stage].padEnd(13)}  ${facts.join("  ")}`.trimEnd();
}

export const renderBoard = (board: Board): readonly string[] => [...board.values()].map(renderLine);

/** The table the demo ends with. */
export function renderOutcome(outcome: Outcome): string {
  const rows: readonly (readonly [string, string])[] = [
    ["bounties", String(outcome.bounties)],
    ["kept silent", String(outcome.silent)],
    ["asserted", String(outcome.asserted)],
    ["revealed", String(outcome.revealed)],
    ["settled", String(outcome.settled)],
    ["right", String(outcome.correct)],
    ["wrong", String(outcome.wrong)],
    ["staked", `${outcome.stakedNct} NCT`],
    ["profit", `${outcome.profitNct} NCT`],
    ["bounty to assertion, median", `${outcome.assertMsP50 ?? "-"} ms`],
    ["bounty to assertion, worst", `${outcome.assertMsMax ?? "-"} ms`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join("\n");
  const end = isWhole(outcome)
    ? "Every stake was revealed and settled."
    : "Some stake was left unrevealed or unsettled.";
  return `${table}\n\n  ${end}\n`;
}
