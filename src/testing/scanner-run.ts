/**
 * One run of a scanner, from its setup to its teardown. One that is given by its path runs in a worker process, as it does in
 * a consumer. An object runs in the process of the test, where nothing can end it but itself.
 */

import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { timeoutSignal } from "../async/long-timer.ts";
import { NO_CLAIM } from "../domain/artifact.ts";
import { describeError } from "../domain/fault.ts";
import type { ScanOutcome } from "../isolation/running-scan.ts";
import { ScanWorker } from "../isolation/scan-worker.ts";
import type { BackendDescription, Scanner } from "../scanners/contract.ts";
import type { BackendModule } from "../scanners/registry.ts";
import type { PreparedSample } from "./sample.ts";

/** `gave-up`: it stopped at its deadline, as it should; `timeout`: it went on, and a consumer would have killed it. */
export type RunOutcome = ScanOutcome | { readonly kind: "gave-up" };

export interface ScannerRun {
  readonly description: BackendDescription;
  /** Never rejects. `deadlineMs` from now. */
  scan(specimen: PreparedSample, deadlineMs: number): Promise<RunOutcome>;
  /** Tears it down; resolves to a sentence when that went wrong. Never rejects. */
  close(): Promise<string | undefined>;
}

export interface TrialLimits {
  /** How long a scan may take after its deadline. */
  readonly graceMs: number;
  /** How long `teardown` may take. */
  readonly closeMs: number;
}

const requestOf = ({ kind, bytes, types }: PreparedSample, deadlineMs: number) => ({
  kind,
  bytes,
  types,
  claim: NO_CLAIM,
  sha256: createHash("sha256").update(bytes).digest("hex"),
  deadline: Date.now() + deadlineMs,
});

/** Throws ConfigFault when the scanner cannot be loaded or set up. */
export async function runInWorker(module: BackendModule, limits: TrialLimits): Promise<ScannerRun> {
  let worker = await ScanWorker.start(module, { limits });
  const { description } = worker;
  return {
    description,
    async scan(specimen, deadlineMs) {
      try {
        // The one before did not survive its scan.
        if (!worker.idle) worker = await ScanWorker.start(module, { limits });
      } catch (error) {
        return { kind: "crashed", detail: `A new process did not start: ${describeError(error)}` };
      }
      const outcome = await worker.scan(requestOf(specimen, deadlineMs), new AbortController().signal);
      return outcome.kind === "timeout" && worker.idle ? { kind: "gave-up" } : outcome;
    },
    async close() {
      if (!worker.idle) return undefined;
      await worker.close();
      if (worker.exit === 0) return undefined;
      if (worker.exit === "SIGKILL") return `teardown did not end within ${limits.closeMs} ms.`;
      const said = /^\S*Error: .*/m.exec(worker.lastWords)?.[0] ?? worker.lastWords.trim().slice(-200);
      return `teardown failed: ${said}`;
    },
  };
}

/** Throws what `setup` throws. */
export async function runHere(
  scanner: Scanner,
  limits: TrialLimits,
  left: { state?: unknown },
): Promise<ScannerRun> {
  const bequeath = (state: unknown): void => {
    left.state = structuredClone(state);
  };
  await scanner.setup?.({ tell: () => {}, inherited: left.state, bequeath, lead: true, measure: () => {} });
  const { name, version, accepts = {} } = scanner;
  return {
    description: { name, version, accepts },
    async scan(specimen, deadlineMs) {
      const { deadline, ...request } = requestOf(specimen, deadlineMs);
      const signal = timeoutSignal(deadlineMs);
      const folder = await mkdtemp(join(tmpdir(), "microengine-test-"));
      const path = async (): Promise<string> => {
        const file = join(folder, "artifact");
        await writeFile(file, request.bytes);
        return file;
      };
      const scanned = async (): Promise<ScanOutcome> => {
        const finding: unknown = await scanner.scan({ ...request, path }, { signal, deadline });
        return { kind: "finding", finding };
      };
      const overdue = deadlineMs + limits.graceMs;
      try {
        return await within(overdue, scanned(), { kind: "timeout" });
      } catch (error) {
        return signal.aborted ? { kind: "gave-up" } : { kind: "thrown", detail: describeError(error) };
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async close() {
      try {
        const ended = Promise.resolve(scanner.teardown?.()).then(() => undefined);
        return await within(limits.closeMs, ended, `teardown did not end within ${limits.closeMs} ms.`);
      } catch (error) {
        return `teardown failed: ${describeError(error)}`;
      }
    },
  };
}

/** What the work resolves to, or something else when that takes longer. Blocking work is late when it is done. */
async function within<T, L>(ms: number, work: Promise<T>, late: L): Promise<T | L> {
  const from = performance.now();
  const giveUp = new AbortController();
  const overdue = sleep(ms, late, { signal: giveUp.signal }).catch(() => late);
  try {
    const ended = await Promise.race([work, overdue]);
    return performance.now() - from > ms ? late : ended;
  } finally {
    giveUp.abort();
    work.catch(() => {});
  }
}
