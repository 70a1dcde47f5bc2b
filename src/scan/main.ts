/**
 * Composition root of `scan`: triage, backends in worker processes and distillation over local files, without a queue,
 * a wallet or a marketplace. Verdicts go to standard output in the order of the files, whatever else to standard error.
 */
import { once } from "node:events";
import { backendSettings } from "../config/backend-settings.ts";
import type { ScanConfig } from "../config/scan.ts";
import { readTriageRules } from "../config/triage-rules.ts";
import { openPools } from "../consumer/consumer.ts";
import { knowledgeAbout } from "../distill/knowledge.ts";
import { loadDistillEngine } from "../distill/load.ts";
import { NOTHING_LEARNED } from "../distill/reliability.ts";
import { systemClock } from "../domain/chain.ts";
import { ConfigFault, describeError, Fault } from "../domain/fault.ts";
import { silenceBy } from "../domain/silence.ts";
import { COLORS, PLAIN } from "../observe/paint.ts";
import type { ProcessIo } from "../observe/process-io.ts";
import { type Found, findFiles } from "./find-files.ts";
import { inOrder } from "./in-order.ts";
import { count, jsonLine, NOTHING_COUNTED, renderReport, renderTally } from "./render.ts";
import { reportUnreadable } from "./report.ts";
import { type ScanParts, scanFile } from "./scan-file.ts";

/**
 * Resolves to the exit code: 1 when something could not be read, or not everything was scanned. Throws Fault OUTPUT_LOST when
 * the verdicts cannot be written.
 */
export async function runScan(config: ScanConfig, paths: readonly string[], io: ProcessIo): Promise<number> {
  if (paths.length === 0) {
    throw new ConfigFault("PATHS_MISSING", "There is nothing to scan.", {
      hint: "Name files or folders, such as: microengine scan ./samples",
    });
  }
  const { log, env } = io;
  const engine = await loadDistillEngine(config.distill);
  await using opened = new AsyncDisposableStack();
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
  const parts: ScanParts = {
    ...{ backends, rules, log, clock: systemClock, kind: config.kind },
    distill: (testimony) => engine.distill(testimony, knowledgeAbout(testimony, silence, NOTHING_LEARNED)),
    deadlineMs: config.deadline * 1_000,
  };

  const out = process.stdout;
  const leaving = new AbortController();
  // Nobody reads on, as when `head` has enough of it, or there is no room for it.
  out.once("error", (error) => leaving.abort(error));
  const stop = AbortSignal.any([io.signal, leaving.signal]);
  const paint = out.isTTY && (env.NO_COLOR ?? "") === "" ? COLORS : PLAIN;
  let tally = NOTHING_COUNTED;
  const reports = inOrder(filesUntil(stop, paths), config.scanLimit, ({ path, problem }) =>
    problem === undefined ? scanFile(parts, path, stop) : reportOf(path, problem),
  );
  for await (const report of reports) {
    // A file whose scan was called off says nothing.
    if (stop.aborted) break;
    tally = count(tally, report);
    const text = config.json ? jsonLine(report) : renderReport(report, paint);
    if (!out.write(text)) await once(out, "drain", { signal: stop }).catch(() => {});
  }
  if (!leaving.signal.aborted && !config.json) out.write(renderTally(tally));
  const lost: NodeJS.ErrnoException | null = leaving.signal.reason ?? out.errored;
  if (lost !== null && lost.code !== "EPIPE")
    throw new Fault("OUTPUT_LOST", `What was found cannot be written: ${describeError(lost)}.`);
  if (leaving.signal.aborted) return 0;
  return tally.unreadable > 0 || io.signal.aborted ? 1 : 0;
}

async function* filesUntil(stop: AbortSignal, paths: readonly string[]): AsyncGenerator<Found> {
  for (const path of paths) {
    for await (const found of findFiles(path)) {
      if (stop.aborted) return;
      yield found;
    }
  }
}

const reportOf = async (path: Buffer, problem: string) => reportUnreadable(path.toString(), problem);
