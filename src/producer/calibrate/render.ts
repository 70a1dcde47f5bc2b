import type { Score } from "../../distill/experience/scoring.ts";
import { table } from "../../terminal/table.ts";
import type { CalibrationReport, SampleShare } from "./report.ts";

/** Said instead of tables when there is nothing to learn from yet. */
export const NOTHING_SETTLED =
  "No bounty with a known truth is in the ledger yet: there is nothing to calibrate on.";

/** The report as text for a terminal, lines of at most 100 characters unless a backend's name is long. */
export function renderCalibration({ settled, malicious, given, bayes, backends }: CalibrationReport): string {
  const scores: readonly (readonly [string, Score | undefined])[] = [
    ["as given", given],
    ["bayes, in hindsight", bayes],
  ];
  const blocks = [
    `${settled} settled artifacts, ${malicious} of them malicious.`,
    given === undefined
      ? "No verdict was given on any of them."
      : `Verdicts as they were given, by their confidence, the chance of being right that was stated:\n\n${table(reliability(given))}`,
    `How good the probabilities were (the lower the better):\n\n${table([
      ["", "artifacts", "Brier score", "log loss", "calibration error"],
      ...scores.map(([name, score]) => [name, ...figures(score)]),
    ])}`,
    `What the backends said, with the range in which the true share may lie:\n\n${table([
      ["backend", "types", "heard", "sensitivity", "specificity"],
      ...backends.map((one) => [
        one.backend,
        one.types,
        `${one.heard}`,
        shown(one.sensitivity),
        shown(one.specificity),
      ]),
    ])}`,
  ];
  return `${blocks.join("\n\n")}\n`;
}

const reliability = ({ bins }: Score): readonly (readonly string[])[] => [
  ["confidence", "given", "mean stated", "right"],
  ...bins.map(({ from, count, stated, right }) => [
    `${from.toFixed(2)} to ${(from + 0.05).toFixed(2)}`,
    `${count}`,
    stated.toFixed(3),
    right.toFixed(3),
  ]),
];

function figures(score: Score | undefined): readonly string[] {
  if (score === undefined) return ["0", "-", "-", "-"];
  const { count, brier, logLoss, calibrationError } = score;
  return [`${count}`, brier.toFixed(4), logLoss.toFixed(4), calibrationError.toFixed(4)];
}

function shown(share: SampleShare | undefined): string {
  if (share === undefined) return "-";
  const [low, high] = share.interval;
  return `${share.share.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}) of ${share.of}`;
}
