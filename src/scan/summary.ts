/** What a scan of many files comes to, for people: counts, what was found, then some files in full. Pure. */
import type { Verdict } from "../domain/verdict.ts";
import { type Paint, PLAIN } from "../terminal/paint.ts";
import {
  countReport,
  filesIn,
  NO_REPORTS,
  printable,
  type ReportCounts,
  renderCounts,
  renderFileReport,
  VERDICT_ORDER,
} from "./render.ts";
import { type FileReport, failureOf } from "./report.ts";

export interface SummaryTerms {
  /** Verdicts to tell of; none means all. */
  readonly only: readonly Verdict[];
  /** Files to show in full. */
  readonly details: number;
}

/** Names in a list; `--json` has the others. */
const LISTED = 100;

type Group = "malicious" | "suspicious" | "failed" | "benign" | "unknown";

/** Those that are listed by name, and then those that are only counted and shown. */
const LISTS: readonly Group[] = ["malicious", "suspicious", "failed"];
const GROUPS: readonly Group[] = [...LISTS, "benign", "unknown"];

const TITLES: Readonly<Partial<Record<Group, string>>> = { failed: "could not be scanned" };

/** Reports by what they say; of each group no more than can be shown. */
export interface Summary {
  readonly terms: SummaryTerms;
  readonly tally: ReportCounts;
  readonly groups: ReadonlyMap<Group, FileReport[]>;
}

export const newSummary = (terms: SummaryTerms): Summary => ({
  terms,
  tally: NO_REPORTS,
  groups: new Map(GROUPS.map((group) => [group, []])),
});

const groupOf = (report: FileReport): Group => (failureOf(report) === undefined ? report.verdict : "failed");

/** Whether a report is to be told of, or only counted. */
export const isWanted = ({ verdict }: FileReport, { only }: Pick<SummaryTerms, "only">): boolean =>
  only.length === 0 || only.includes(verdict);

export function summarise(summary: Summary, report: FileReport): Summary {
  const kept = summary.groups.get(groupOf(report))!;
  if (isWanted(report, summary.terms) && kept.length < Math.max(LISTED, summary.terms.details))
    kept.push(report);
  return { ...summary, tally: countReport(summary.tally, report) };
}

/** Whether the scan came to its end, or was interrupted. */
type End = "complete" | "interrupted";

/** The first line of what is told, with its end. */
export const renderHead = (tally: ReportCounts, end: End): string =>
  `${end === "complete" ? "" : "Interrupted; scanned so far: "}${renderCounts(tally)}`;

export function renderSummary(summary: Summary, end: End, paint: Paint = PLAIN): string {
  const { terms, tally, groups } = summary;
  const lists = LISTS.map((group) => renderList(group, groups.get(group)!, countOf(tally, group), paint));
  const shown = GROUPS.flatMap((group) => groups.get(group)!).slice(0, terms.details);
  const details = shown.map((report) => `\n${renderFileReport(report, paint).trimEnd()}\n`);
  const rest = wantedIn(tally, terms) - shown.length;
  const more =
    rest > 0 && terms.details > 0
      ? `\n${rest} more ${rest === 1 ? "file" : "files"}: --details ${shown.length + rest} shows all, --json tells of each.\n`
      : "";
  return [renderHead(tally, end), ...(filesIn(tally) > 1 ? lists : []), ...details, more].join("");
}

function renderList(group: Group, reports: readonly FileReport[], all: number, paint: Paint): string {
  if (reports.length === 0) return "";
  const lines = reports.slice(0, LISTED).map((report) => `  ${lineOf(report)}\n`);
  if (all > lines.length) lines.push(`  and ${all - lines.length} more\n`);
  return ["\n", `${paint(TITLES[group] ?? group, "bad")}\n`, ...lines].join("");
}

function lineOf(report: FileReport): string {
  const why = failureOf(report);
  const said = why ?? [String(Math.round(report.confidence * 1_000) / 1_000), report.family ?? ""].join("  ");
  return printable(`${report.path}  ${said}`.trimEnd());
}

const countOf = ({ verdicts, unreadable, failed }: ReportCounts, group: Group): number =>
  group === "failed" ? unreadable + failed : verdicts[group];

/** How many files are to be told of. What could not be scanned has the verdict "unknown". */
function wantedIn(tally: ReportCounts, { only }: SummaryTerms): number {
  if (only.length === 0) return filesIn(tally);
  return VERDICT_ORDER.filter((verdict) => only.includes(verdict)).reduce(
    (sum, verdict) => sum + tally.verdicts[verdict] + (verdict === "unknown" ? countOf(tally, "failed") : 0),
    0,
  );
}
