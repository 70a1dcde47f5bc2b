import type { Registry } from "prom-client";
import type { ScanAnswer } from "../domain/scan.ts";
import { metricsOf } from "./metrics.ts";

const STAGE_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30];

type ConsumerMetrics = ReturnType<typeof consumerMetrics>;

/** What a consumer counts. */
export function consumerMetrics(registry: Registry) {
  const { counter, gauge, histogram } = metricsOf(registry);
  return {
    answers: counter("answers_total", "Jobs answered; reason is empty for a verdict.", [
      "backend",
      "verdict",
      "reason",
    ]),
    stageSeconds: histogram(
      "stage_seconds",
      "Time a job spent waiting in the queue, being fetched, being scanned.",
      STAGE_SECONDS,
      ["backend", "stage"],
    ),
    jobsForged: counter("jobs_forged_total", "Jobs dropped because their seal did not hold."),
    bytesScanned: counter("scanned_bytes_total", "Content handed to scanners.", ["backend"]),
    backendUp: gauge("backend_up", "1 while what a backend depends on can be used.", ["backend"]),
    scannerValue: gauge("scanner_value", "What a backend measures of itself, by the name it gives it.", [
      "backend",
      "name",
    ]),
    jobsInProgress: gauge("jobs_in_progress", "Jobs taken and not answered yet."),
    queueUp: gauge("queue_up", "1 while the queue can be used."),
  };
}

/** Counts one answer. */
export function countAnswer(metrics: ConsumerMetrics, answer: ScanAnswer): void {
  const { backend, verdict, reason = "", timings, sizeBytes } = answer;
  metrics.answers.inc({ backend, verdict, reason });
  metrics.stageSeconds.observe({ backend, stage: "queued" }, timings.queuedMs / 1_000);
  metrics.stageSeconds.observe({ backend, stage: "fetch" }, timings.fetchMs / 1_000);
  metrics.stageSeconds.observe({ backend, stage: "scan" }, timings.scanMs / 1_000);
  if (sizeBytes !== undefined) metrics.bytesScanned.inc({ backend }, sizeBytes);
}
