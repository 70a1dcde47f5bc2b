/**
 * Starts the process of a scan worker, and waits until its scanner is loaded and set up.
 *
 *     forked ──open──► loading ──ready───► handed over to a scan worker
 *                         ├──────confine─► killed, and forked anew within the bounds it asked for; these do not ask
 *                         ├──────refused─► gone: ConfigFault with the scanner's own sentence
 *                         ├──────else────► gone: ConfigFault BACKEND_START_FAILED: it died, or said something else
 *                         ├──────startMs─► gone: Fault BACKEND_SLOW; the configuration is not to blame
 *                         └──────signal──► gone: `signal.reason`; nothing waits for it any more
 *
 * - What its scanner asks to be confined to is kept in the scanner's state: later processes are confined from their start.
 * - While it takes seconds, the log says so once.
 * - What it has to wait for a processor does not count. Its memory is watched until it is ready.
 * - When a failure is told, the process is gone and its files are removed.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigFault, describeError, Fault } from "../domain/fault.ts";
import type { Logger } from "../observe/log.ts";
import type { BackendDescription, Confinement } from "../scanners/contract.ts";
import type { BackendModule } from "../scanners/registry.ts";
import { launchConfined, launchFree } from "./process/launch.ts";
import { afterProcessorTime } from "./process/processor-wait.ts";
import type { ScannerState } from "./scanner-state.ts";
import { WorkerChild } from "./worker-child.ts";
import type { WorkerLimits } from "./worker-limits.ts";
import type { FromWorker } from "./worker-messages.ts";

export interface StartOptions {
  readonly limits: WorkerLimits;
  readonly log?: Logger;
  readonly scannerState?: ScannerState;
  /** Default true; a worker that is only asked what its scanner is needs no rules and no services. */
  readonly setUp?: boolean;
  /** Whether this is the process of its scanner that may take long to set up. Default true. */
  readonly lead?: boolean;
  /** Ends the wait, and the process. */
  readonly signal?: AbortSignal;
}

/** A start that takes longer is told of. Some scanners compile thousands of rules. */
const TOLD_AFTER_MS = 5_000;

export interface Started {
  readonly child: WorkerChild;
  readonly description: BackendDescription;
}

type Opened = Extract<FromWorker, { type: "ready" | "confine" }>;

/** Throws, besides what is said above, ConfigFault TEMPORARY_FOLDER. */
export async function startChild(backend: BackendModule, options: StartOptions): Promise<Started> {
  const { scannerState } = options;
  const first = await begin(backend, options, scannerState?.confinement);
  if ("child" in first) return first;
  if (scannerState !== undefined) scannerState.confinement = first;
  const confined = await begin(backend, options, first);
  if ("child" in confined) return confined;
  throw new ConfigFault(
    "BACKEND_START_FAILED",
    `The backend ${backend.spec} asks to be confined in a process that is confined already.`,
  );
}

/** A process that is ready, or what its scanner asks to be confined to. */
async function begin(
  backend: BackendModule,
  options: StartOptions,
  confinement: Confinement | undefined,
): Promise<Started | Confinement> {
  const { spec, moduleUrl } = backend;
  const { memoryBytes, maxScans } = options.limits;
  const directory = makeDirectory();
  const terms = { moduleUrl, directory, memoryBytes };
  const launch = confinement === undefined ? launchFree(terms) : await launchConfined(terms, confinement);
  const { log, scannerState } = options;
  const child = new WorkerChild({ spec, directory, launch, memoryBytes, maxScans, log, scannerState });
  try {
    const opened = await open(child, backend, options);
    if (opened.type === "ready") {
      child.memory.settle();
      if (child.excess !== undefined) throw endedEarly(child, backend.spec, "killed");
      return { child, description: opened.description };
    }
    await child.end();
    return opened.confinement;
  } catch (error) {
    await child.end();
    throw error;
  }
}

function open(child: WorkerChild, backend: BackendModule, options: StartOptions): Promise<Opened> {
  const { spec, moduleUrl, settings } = backend;
  const { limits, log, signal } = options;
  const { startMs } = limits;
  const { promise, resolve, reject } = Promise.withResolvers<Opened>();
  const stop = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  const waited = (): number => child.waitedMs();
  const stopTelling = afterProcessorTime(TOLD_AFTER_MS, waited, () =>
    log?.info({ backend: spec, mostMs: startMs }, "scanner.starting"),
  );
  const stopWaiting = afterProcessorTime(startMs, waited, () => reject(tooSlow(spec, startMs)));
  child.onMessage = (message) => {
    if (message?.type === "ready" || message?.type === "confine") resolve(message);
    else if (message?.type === "refused") reject(refusal(message));
    else reject(failed(child, spec, "did not introduce itself"));
  };
  void child.gone.then(async () => reject(endedEarly(child, spec, await child.ended)));
  const { directory } = child;
  const { setUp = true, lead = true, scannerState } = options;
  const { inherited } = scannerState ?? {};
  child.send({ type: "open", moduleUrl, settings, setUp, directory, inherited, lead });
  return promise.finally(() => {
    stopTelling();
    stopWaiting();
    signal?.removeEventListener("abort", stop);
  });
}

const refusal = ({ code, message, hint }: Extract<FromWorker, { type: "refused" }>): ConfigFault =>
  new ConfigFault(code, message, hint === undefined ? {} : { hint });

const tooSlow = (spec: string, startMs: number): Fault =>
  new Fault("BACKEND_SLOW", `The backend ${spec} was not ready within ${startMs} ms.`, {
    hint: "Either its setup hangs, or the machine is too slow for it.",
    retryable: true,
  });

function endedEarly(child: WorkerChild, spec: string, how: string): ConfigFault {
  const { excess, lastWords } = child;
  if (excess === undefined)
    return failed(child, spec, "ended before it was ready", lastWords === "" ? how : undefined);
  const advice = `${excess} Raise --scan-memory (variable SCAN_MEMORY).`;
  return failed(child, spec, "was killed before it was ready", advice);
}

function failed({ lastWords }: WorkerChild, spec: string, why: string, advice?: string): ConfigFault {
  const said = lastWords.trim().slice(-500);
  const hint = advice ?? (said === "" ? undefined : `It said: ${said}`);
  const sentence = `The backend ${spec} ${why}.`;
  return new ConfigFault("BACKEND_START_FAILED", sentence, hint === undefined ? {} : { hint });
}

/** Throws ConfigFault TEMPORARY_FOLDER. */
function makeDirectory(): string {
  const directory = join(tmpdir(), `microengine-scan-${randomUUID()}`);
  try {
    mkdirSync(directory, { mode: 0o700 });
    return directory;
  } catch (cause) {
    throw new ConfigFault(
      "TEMPORARY_FOLDER",
      `There is no place for a scanner's files: ${describeError(cause)}.`,
      { hint: "Set TMPDIR to a folder that this process may write to.", cause },
    );
  }
}
