/** The demo in words: a line for each change, a table of the bounties that fits a window, and the outcome. */
import { type Paint, PLAIN } from "../terminal/paint.ts";
import { table, tableLines } from "../terminal/table.ts";
import { roundedNct, signedNct } from "./amount.ts";
import { type Board, isOver, isRight, type Line } from "./board.ts";
import { type DemoOutcome, isEverythingSettled } from "./outcome.ts";

/** Characters. */
export interface Size {
  readonly rows: number;
  readonly columns: number;
}

const STAGES: Readonly<Record<Line["stage"], string>> = {
  seen: "scanning",
  silent: "silent",
  planned: "posting",
  asserted: "asserted",
  revealed: "revealed",
  missed: "missed",
  settled: "settled",
};

interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: "left" | "right";
  /** A column that only wide windows have; the highest goes first. */
  readonly spare?: number;
  readonly cell: (line: Line) => string;
}

const COLUMNS: readonly Column[] = [
  { title: "bounty", width: 8, align: "left", cell: (line) => line.guid.slice(0, 8) },
  { title: "artifacts", width: 9, align: "right", spare: 2, cell: (line) => String(line.artifacts) },
  { title: "stage", width: 8, align: "left", cell: (line) => STAGES[line.stage] },
  { title: "stake NCT", width: 9, align: "right", cell: ({ stake }) => (stake ? roundedNct(stake) : "") },
  { title: "sent after", width: 10, align: "right", spare: 1, cell: ({ ms }) => inMs(ms) },
  { title: "verdicts", width: 12, align: "left", cell: verdictsOf },
  { title: "profit NCT", width: 10, align: "right", cell: ({ profit }) => (profit ? signedNct(profit) : "") },
];
const GAP = "  ";
const SENT_AFTER = `${GAP}sent after: from the event of the bounty until the request with our assertion left`;

/** One bounty as a line that explains itself. */
export function renderLine(line: Line): string {
  const artifacts = `${line.artifacts} artifact${line.artifacts === 1 ? " " : "s"}`;
  const { stake, ms, profit, why } = line;
  const facts = [
    stake === undefined ? "" : `stake ${roundedNct(stake)} NCT`,
    ms === undefined ? "" : `sent after ${inMs(ms).padStart(7)}`,
    verdictsOf(line),
    profit === undefined ? "" : `profit ${signedNct(profit)} NCT`,
    why === undefined ? "" : `(${why})`,
  ].filter((fact) => fact !== "");
  const name = line.guid.slice(0, 8);
  return [`  ${name}`, artifacts, STAGES[line.stage].padEnd(8), ...facts].join(GAP).trimEnd();
}

/**
 * The board as a table of at most so many rows and columns. What does not fit loses the columns that can be spared
 * first, then its oldest bounties, which are summed up in one line.
 */
export function renderBoard(board: Board, size: Size, paint: Paint = PLAIN): readonly string[] {
  const columns = columnsWithin(size.columns);
  const lines = [...board.values()];
  const legend = columns.some(({ title }) => title === "sent after") && SENT_AFTER.length <= size.columns;
  const room = size.rows - 1 - (legend ? 1 : 0);
  const hidden = lines.length <= room ? 0 : lines.length - Math.max(room - 1, 0);
  const shown = lines.slice(hidden);
  const [head = "", ...drawn] = tableLines(
    [columns.map(({ title }) => title), ...shown.map((line) => cellsOf(line, columns))],
    columns,
  );
  const rows: readonly (readonly [text: string, mood: Parameters<Paint>[1] | undefined])[] = [
    [`${GAP}${head}`, "faint"],
    ...(hidden === 0 ? [] : [[earlier(lines.slice(0, hidden)), "faint"] as const]),
    ...shown.map((line, index) => [`${GAP}${drawn[index]}`, moodOf(line)] as const),
    ...(legend ? [[SENT_AFTER, "faint"] as const] : []),
  ];
  return rows.slice(0, size.rows).map(([text, mood]) => {
    const cut = text.slice(0, size.columns).trimEnd();
    return mood === undefined ? cut : paint(cut, mood);
  });
}

/** The table the demo ends with. */
export function renderOutcome(outcome: DemoOutcome): string {
  const rows: readonly (readonly [string, string])[] = [
    ["bounties", String(outcome.bounties)],
    ["kept silent", String(outcome.silent)],
    ["asserted", String(outcome.asserted)],
    ["revealed", String(outcome.revealed)],
    ["settled", String(outcome.settled)],
    ["all verdicts right", String(outcome.correct)],
    ["not all verdicts right", String(outcome.wrong)],
    ["staked", `${roundedNct(outcome.stakedNct)} NCT`],
    ["profit", `${signedNct(outcome.profitNct)} NCT`],
    ["from bounty to assertion sent, median", inMs(outcome.assertMsP50 ?? undefined) || "-"],
    ["from bounty to assertion sent, worst", inMs(outcome.assertMsMax ?? undefined) || "-"],
  ];
  return `${table(rows)}\n\n${endOf(outcome)
    .map((line) => `  ${line}\n`)
    .join("")}`;
}

/** The last lines: how it ended, and where it is not whole, why. */
function endOf(outcome: DemoOutcome): readonly string[] {
  if (isEverythingSettled(outcome))
    return ["Every bounty was asserted, and every stake revealed and settled."];
  const { bounties, settled, unfinished } = outcome;
  return [
    `Only ${settled} of ${bounties} bounties were seen through:`,
    ...unfinished.map(({ reason, bounties: stopped }) => `  ${stopped}: ${reason}`),
  ];
}

/** A text in lines of at most so many columns, broken between words. Its own line breaks stay. */
export const wrapped = (text: string, columns: number): readonly string[] =>
  text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > columns) {
      const blank = rest.lastIndexOf(" ", columns);
      const end = blank > 0 ? blank : columns;
      lines.push(rest.slice(0, end));
      rest = rest.slice(end).trimStart();
    }
    return [...lines, rest];
  });

const inMs = (ms: number | undefined): string => (ms === undefined ? "" : `${Math.round(ms)} ms`);

function verdictsOf({ verdicts }: Line): string {
  if (verdicts === undefined) return "";
  const votedOn = verdicts.right + verdicts.wrong;
  return votedOn === 0 ? "no votes" : `${verdicts.right} of ${votedOn} right`;
}

function moodOf(line: Line): Parameters<Paint>[1] | undefined {
  if (line.stage === "silent") return "faint";
  if (line.stage === "missed") return "bad";
  const right = isRight(line);
  return right === undefined ? undefined : right ? "good" : "bad";
}

function columnsWithin(width: number): readonly Column[] {
  let columns = COLUMNS;
  for (const spare of [2, 1]) {
    const needed = columns.reduce((sum, column) => sum + GAP.length + column.width, 0);
    if (needed > width) columns = columns.filter((column) => column.spare !== spare);
  }
  return columns;
}

function cellsOf(line: Line, columns: readonly Column[]): readonly string[] {
  const cells = columns.map(({ cell }) => cell(line));
  if (line.why === undefined) return cells;
  // A reason takes the place of all that will never be known.
  const stage = columns.findIndex(({ title }) => title === "stage");
  return [...cells.slice(0, stage), `${STAGES[line.stage].padEnd(columns[stage]!.width)}${GAP}${line.why}`];
}

function earlier(lines: readonly Line[]): string {
  const groups = Map.groupBy(lines, fateOf);
  const counts = FATES.flatMap((fate) => {
    const count = groups.get(fate)?.length ?? 0;
    return count === 0 ? [] : [`${count} ${fate}`];
  });
  return `${GAP}${lines.length} earlier: ${counts.join(", ")}`;
}

const FATES = ["right", "wrong", "silent", "on the way"] as const;

function fateOf(line: Line): (typeof FATES)[number] {
  if (!isOver(line)) return "on the way";
  return line.stage === "silent" ? "silent" : isRight(line) === true ? "right" : "wrong";
}
