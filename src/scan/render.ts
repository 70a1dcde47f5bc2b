/** Reports in words: a block for each file, one line at the end. Pure. */
import type { Verdict } from "../domain/verdict.ts";
import { type Paint, PLAIN } from "../terminal/paint.ts";
import { tableLines } from "../terminal/table.ts";
import { type BackendResult, type FileReport, failureOf, isUnreadable } from "./report.ts";

const MOODS: Readonly<Record<Verdict, Parameters<Paint>[1]>> = {
  malicious: "bad",
  benign: "good",
  suspicious: "bad",
  unknown: "faint",
};

/** What matters most comes first. */
export const VERDICT_ORDER: readonly Verdict[] = ["malicious", "suspicious", "benign", "unknown"];

/** One line of JSON, with its end. */
export const jsonLine = (report: FileReport): string => `${JSON.stringify(report)}\n`;

export function renderFileReport(report: FileReport, paint: Paint = PLAIN): string {
  const { path, size, sha256, types, verdict, confidence, probability, interval, family, reason, results } =
    report;
  if (isUnreadable(report)) return block(path, [paint(printable(reason), "bad")]);
  const opinion = [`${verdict}${verdict === "unknown" ? "" : ` ${short(confidence)}`}`, family].filter(
    isText,
  );
  const facts = [size === 1 ? "1 byte" : `${size} bytes`, ...types].join(", ");
  return block(path, [
    paint(printable(opinion.join("  ")), MOODS[verdict]),
    ...(results.length === 0 ? [printable(reason)] : []),
    ...(verdict === "unknown"
      ? []
      : [`P(malicious) ${short(probability)}, from ${short(interval[0])} to ${short(interval[1])}`]),
    printable(facts),
    ...(sha256 === null ? [] : [`sha256 ${sha256}`]),
    ...resultLines(results),
  ]);
}

const block = (path: string, lines: readonly string[]): string =>
  [printable(path), ...lines.map((line) => `  ${line}`), ""].map((line) => `${line}\n`).join("");

function resultLines(results: readonly BackendResult[]): readonly string[] {
  const rows = results.map(({ backend, verdict, confidence, family, reason, detail, ms }) => {
    const said = reason === null ? `${verdict} ${short(confidence)}` : `${verdict} (${reason})`;
    return [printable(backend), [said, family, `${ms} ms`, detail].filter(isText).map(printable).join("  ")];
  });
  return tableLines(rows);
}

/** Three decimals are what a person compares. */
const short = (ratio: number): string => String(Math.round(ratio * 1_000) / 1_000);

const isText = (text: string | null): text is string => text !== null && text !== "";

/** How many files came to which verdict. */
export interface ReportCounts {
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly unreadable: number;
  /** Read, and no backend could look. */
  readonly failed: number;
}

export const NO_REPORTS: ReportCounts = {
  verdicts: { malicious: 0, benign: 0, suspicious: 0, unknown: 0 },
  unreadable: 0,
  failed: 0,
};

export function countReport(tally: ReportCounts, report: FileReport): ReportCounts {
  if (isUnreadable(report)) return { ...tally, unreadable: tally.unreadable + 1 };
  if (failureOf(report) !== undefined) return { ...tally, failed: tally.failed + 1 };
  const { verdict } = report;
  return { ...tally, verdicts: { ...tally.verdicts, [verdict]: tally.verdicts[verdict] + 1 } };
}

export const filesIn = ({ verdicts, unreadable, failed }: ReportCounts): number =>
  Object.values(verdicts).reduce((sum, number) => sum + number, unreadable + failed);

/** One line, with its end. */
export function renderCounts(tally: ReportCounts): string {
  const { verdicts, unreadable, failed } = tally;
  const counts = VERDICT_ORDER.map((verdict) => [verdict, verdicts[verdict]] as const);
  const files = filesIn(tally);
  const parts = counts.filter(([, number]) => number > 0).map(([verdict, number]) => `${number} ${verdict}`);
  if (failed > 0) parts.push(`${failed} not scanned`);
  if (unreadable > 0) parts.push(`${unreadable} not readable`);
  return `${files} ${files === 1 ? "file" : "files"}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}\n`;
}

/** Text of strangers (names of files, words of scanners) without what would move the cursor or turn the line around. */
export const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`);
