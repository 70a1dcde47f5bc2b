/**
 * Composition root of `scan`: triage, backends in worker processes and distillation over local files, without a queue,
 * a wallet or a marketplace. Verdicts go to standard output, with `--json` in the order of the files as they come, else
 * together at the end; whatever else goes to standard error.
 */
import { once } from "node:events";
import { backendSettings } from "../config/commands/backend-settings.ts";
import type { ScanConfig } from "../config/commands/scan.ts";
import { readTriageRules } from "../config/commands/triage-rules.ts";
import { serveContracts } from "../config/contract-imports.ts";
import { openPools } from "../consumer/scan-pools.ts";
import { NOTHING_LEARNED } from "../distill/experience/reliability.ts";
import { knowledgeAbout } from "../distill/knowledge.ts";
import { loadDistillEngine } from "../distill/load.ts";
import { ConfigFault, describeError, Fault } from "../domain/fault.ts";
import { systemClock } from "../domain/instant.ts";
import { silenceBy } from "../domain/silence.ts";
import type { ProcessIo } from "../observe/process-io.ts";
import { COLORS, hasColors, PLAIN } from "../terminal/paint.ts";
import { exitCodeOf } from "./exit-code.ts";
import { type Found, findFiles, STANDARD_INPUT } from "./find-files.ts";
import { inOrder } from "./in-order.ts";
import { Progress } from "./progress.ts";
import { filesIn, jsonLine } from "./render.ts";
import { reportUnreadable } from "./report.ts";
import { type ScanParts, scanFile } from "./scan-file.ts";
import { isWanted, newSummary, renderHead, renderSummary, type Summary, summarise } from "./summary.ts";

/** How often the log says how far it is. */
const LOG_EVERY_MS = 10_000;

/** Resolves to the exit code (exit-code.ts). Throws Fault OUTPUT_LOST when the verdicts cannot be written. */
export async function runScan(config: ScanConfig, paths: readonly string[], io: ProcessIo): Promise<number> {
  if (paths.length === 0) {
    throw new ConfigFault("PATHS_MISSING", "There is nothing to scan.", {
      hint: "Name files or folders, such as: microengine scan ./samples; - is standard input.",
    });
  }
  await using opened = new AsyncDisposableStack();
  const parts = await openParts(config, io, opened);
  const out = process.stdout;
  const leaving = new AbortController();
  // The reader is gone, as when `head` has enough, or there is no room on the disk.
  out.once("error", (error) => leaving.abort(error));
  const stop = AbortSignal.any([io.signal, leaving.signal]);
  const summary = await scanAll({ config, paths, io, parts, stop });

  const interrupted = io.signal.aborted ? "interrupted" : "complete";
  const { tally } = summary;
  if (!leaving.signal.aborted && !config.json) {
    const paint = hasColors(out, io.env) ? COLORS : PLAIN;
    out.write(renderSummary(summary, interrupted, paint));
  }
  if (config.json && process.stderr.isTTY) process.stderr.write(renderHead(tally, interrupted));
  const lost: NodeJS.ErrnoException | null = leaving.signal.reason ?? out.errored;
  if (lost !== null && lost.code !== "EPIPE")
    throw new Fault("OUTPUT_LOST", `What was found cannot be written: ${describeError(lost)}.`);
  if (leaving.signal.aborted) return 0;
  return exitCodeOf({ tally, failOn: config.failOn, interrupted });
}

async function openParts(
  config: ScanConfig,
  { log }: ProcessIo,
  opened: AsyncDisposableStack,
): Promise<ScanParts> {
  // A distillation engine of the operator's own imports the contract that it is written against.
  serveContracts();
  const engine = await loadDistillEngine(config.distill);
  const terms = {
    backends: config.backend,
    backendSettings: backendSettings(config),
    scanLimit: config.scanLimit,
    scanMemoryBytes: config.scanMemory,
    freshProcess: config.freshProcess,
  };
  const backends = await openPools({ terms, log }, opened);
  const described = [...backends.values()].map(({ description }) => description);
  const rules = await readTriageRules({ ...config, artifactType: [config.kind] }, described);
  const silence = silenceBy(config.benign);
  return {
    backends,
    rules,
    log,
    clock: systemClock,
    kind: config.kind,
    distill: (testimony) => engine.distill(testimony, knowledgeAbout(testimony, silence, NOTHING_LEARNED)),
    deadlineMs: config.deadline * 1_000,
  };
}

interface Scanning {
  readonly config: ScanConfig;
  readonly paths: readonly string[];
  readonly io: ProcessIo;
  readonly parts: ScanParts;
  readonly stop: AbortSignal;
}

async function scanAll({ config, paths, io, parts, stop }: Scanning): Promise<Summary> {
  const out = process.stdout;
  let summary = newSummary(config);
  let total: number | undefined;
  using progress = new Progress(process.stderr, () => ({ tally: summary.tally, total }));
  if (process.stderr.isTTY)
    void countFiles(stop, paths).then((files) => {
      total = files;
    });
  const telling = setInterval(() => {
    io.log.info({ files: filesIn(summary.tally), ...summary.tally.verdicts }, "scan.progress");
  }, LOG_EVERY_MS).unref();
  const reports = inOrder(filesUntil(stop, paths), config.scanLimit, ({ path, problem }) =>
    problem === undefined ? scanFile(parts, path, stop) : reportOf(path, problem),
  );
  for await (const report of reports) {
    // A file whose scan was called off says nothing.
    if (stop.aborted) break;
    summary = summarise(summary, report);
    if (!config.json || !isWanted(report, config)) continue;
    if (out.isTTY) progress.hide();
    if (!out.write(jsonLine(report))) await once(out, "drain", { signal: stop }).catch(() => {});
  }
  clearInterval(telling);
  return summary;
}

async function countFiles(stop: AbortSignal, paths: readonly string[]): Promise<number> {
  let files = 0;
  for await (const _ of filesUntil(stop, paths)) files++;
  return files;
}

async function* filesUntil(stop: AbortSignal, paths: readonly string[]): AsyncGenerator<Found> {
  let input = false;
  for (const path of paths) {
    // Standard input can be read once.
    if (path === STANDARD_INPUT && input) continue;
    input ||= path === STANDARD_INPUT;
    for await (const found of findFiles(path)) {
      if (stop.aborted) return;
      yield found;
    }
  }
}

const reportOf = async (path: Buffer, problem: string) => reportUnreadable(path.toString(), problem);
