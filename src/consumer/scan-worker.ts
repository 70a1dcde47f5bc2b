/**
 * One scanner in one process that can be killed, seen from the consumer.
 *
 *     starting ──ready──► idle ──scan()──► scanning ──answer──► idle
 *         │                │                  │
 *      refused,         close()         overrun, cancelled, too large:
 *      no answer           │            killed; or it died by itself
 *         ▼                ▼                  ▼
 *        gone ◄───────── closing ──────────► gone
 *
 * - At most one scan at a time; `scan` never rejects, every end of it is an outcome.
 * - At its deadline the scanner hears an abort; `graceMs` later the process is killed (SIGKILL: an endless loop hears
 *   nothing else) and the outcome is `timeout`. An abort before the deadline kills at once: `cancelled`.
 * - While it starts or scans, its memory is looked at from outside, that of programs it runs included: beyond
 *   `memoryBytes` it is killed and the outcome is `out-of-memory`. JavaScript's own heap ends there too.
 * - `gone` is final and comes once, whoever ended the process; its files are removed then. A pool replaces it.
 * - The process leads a group of its own. Whatever it started is in that, and is killed with it or, when it ended by
 *   itself, after it. A terminal's Ctrl-C does not reach the group: the consumer decides when its workers end.
 * - A worker is `worn` after `maxScans`, when half of the memory it had to spare at its start is used up and not given
 *   back, or after content so large that it may not be (WASM does not shrink); it still answers what it is doing.
 * - A scanner that asks to be confined is loaded, asked, and started anew within its bounds before it is set up.
 */

import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { ConfigFault, describeError, Fault } from "../domain/fault.ts";
import type { Logger } from "../observe/log.ts";
import type { Artifact, BackendDescription, Confinement } from "../scanners/contract.ts";
import { killGroup } from "../scanners/process-group.ts";
import type { BackendModule } from "../scanners/registry.ts";
import { scannerEnvironment } from "./environment.ts";
import { guard } from "./guardian.ts";
import { Handover, type HandoverLimits } from "./handover.ts";
import { type Launch, launchConfined, launchFree } from "./launch.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { afterOwnTime, waitedForProcessor } from "./own-time.ts";
import { timerUntil } from "./timer.ts";
import { FromWorker, type ToWorker } from "./worker-messages.ts";

export interface ScanRequest extends Omit<Artifact, "path"> {
  /** Unix milliseconds. */
  readonly deadline: number;
}

/** How a scan ended. */
export type ScanOutcome =
  | { readonly kind: "finding"; readonly finding: unknown }
  | { readonly kind: "thrown" | "unsendable" | "crashed" | "out-of-memory"; readonly detail: string }
  | { readonly kind: "timeout" | "cancelled" };

export interface WorkerLimits extends HandoverLimits {
  /** How long loading and `setup` may take, not counting what the process has to wait for a processor. */
  readonly startMs: number;
  /** How long after its deadline a scan may still end by itself. */
  readonly graceMs: number;
  /** How long `teardown` may take. */
  readonly closeMs: number;
  /** What the process, and programs that it runs, may hold. */
  readonly memoryBytes: number;
  readonly maxScans: number;
  /** Content beyond this wears the worker out. */
  readonly largeBytes: number;
}

export const WORKER_LIMITS: WorkerLimits = {
  startMs: 60_000,
  graceMs: 100,
  closeMs: 2_000,
  memoryBytes: 1024 * 1024 * 1024,
  maxScans: 1_000,
  largeBytes: 16 * 1024 * 1024,
  channelBytes: 64 * 1024,
  keptBytes: 8 * 1024 * 1024,
};

/** A timer may fire this much before its time; an abort this close to the deadline is the deadline. */
const TIMER_SLACK_MS = 20;

/** What left the group on purpose may hold the output open; after this it is not waited for. */
const LINGER_MS = 250;

const EXTENSION = extname(import.meta.url);
const PROGRAM = new URL(`./worker-process${EXTENSION}`, import.meta.url);

/** What a scanner says that is no answer, and what it leaves to the processes after it. */
export interface Legacy {
  readonly inherited: unknown;
  /** What the scanner asked for, once that is known. */
  confinement: Confinement | undefined;
  bequeathed(state: unknown): void;
  told(level: "info" | "warn", sentence: string): void;
}

interface WorkerSurroundings {
  readonly log?: Logger;
  readonly legacy?: Legacy;
}

export interface WorkerOptions extends WorkerSurroundings {
  readonly limits?: Partial<WorkerLimits>;
  /** Default true; a worker that is only asked what its scanner is needs no rules and no services. */
  readonly setUp?: boolean;
}

/** A process to be: where its files go, and how it is started. */
interface Birth {
  readonly directory: string;
  readonly launch: Launch;
}

type Opened = Extract<FromWorker, { type: "ready" | "confine" }>;

interface Running {
  readonly id: number;
  readonly deadline: number;
  readonly end: (outcome: ScanOutcome) => void;
}

export class ScanWorker {
  readonly backend: BackendModule;
  /** Resolves when the process is gone and its files are removed. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #handover: Handover;
  readonly #memory: MemoryWatch;
  readonly #limits: WorkerLimits;
  readonly #legacy: Legacy | undefined;
  #introduced: ((message: FromWorker | undefined) => void) | undefined;
  /** Hears when `trouble` changed. */
  onCondition: () => void = () => {};
  #trouble: string | undefined;
  #description: BackendDescription | undefined;
  #state: "starting" | "idle" | "scanning" | "closing" | "gone" = "starting";
  #running: Running | undefined;
  #scans = 0;
  #worn = false;
  #lastWords = "";
  #exit: number | NodeJS.Signals | undefined;

  private constructor(
    backend: BackendModule,
    limits: WorkerLimits,
    { log, legacy }: WorkerSurroundings,
    { directory, launch }: Birth,
  ) {
    this.backend = backend;
    this.#limits = limits;
    this.#legacy = legacy;
    this.#directory = directory;
    this.#handover = new Handover(directory, limits);
    this.#child = fork(PROGRAM, [], {
      serialization: "advanced",
      env: { ...scannerEnvironment(process.env), TMPDIR: directory },
      ...launch,
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const { pid } = this.#child;
    const release = pid === undefined ? () => {} : guard(pid, directory);
    this.#memory = new MemoryWatch(pid, limits.memoryBytes, () => this.#killAll());
    this.#memory.watch();
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#lastWords = (this.#lastWords + text).slice(-2000);
        log?.debug({ backend: backend.spec, text: text.trimEnd().slice(0, 2000) }, "scanner.output");
      });
    }
    this.#child.on("message", (said) => this.#hear(said));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    const end = (how: string): void => {
      if (this.#state === "gone") return;
      this.#state = "gone";
      this.#memory.rest();
      this.#handover[Symbol.dispose]();
      release();
      const excess = this.#memory.excess(this.#lastWords);
      this.#running?.end(
        excess === undefined ? { kind: "crashed", detail: how } : { kind: "out-of-memory", detail: excess },
      );
      void rm(this.#directory, { recursive: true, force: true }).then(resolve, () => resolve());
    };
    this.#child.on("error", (error) => end(`The scanner process failed: ${error.message}.`));
    this.#child.on("exit", () => {
      this.#killAll();
      setTimeout(() => this.#hangUp(), LINGER_MS).unref();
    });
    // "close" rather than "exit": by then its last words have arrived.
    this.#child.on("close", (code, signal) => {
      this.#exit = signal ?? code ?? undefined;
      end(`The scanner process ended (${signal ?? `exit code ${code}`}).`);
    });
  }

  /**
   * Starts the process, loads the scanner and sets it up. Throws ConfigFault with the worker's own sentence, or
   * BACKEND_START_FAILED when it died; Fault BACKEND_SLOW when it took longer than `startMs`, which is no mistake of
   * the operator's.
   */
  static async start(backend: BackendModule, options: WorkerOptions = {}): Promise<ScanWorker> {
    const { legacy } = options;
    const first = await ScanWorker.#begin(backend, options, legacy?.confinement);
    if (first instanceof ScanWorker) return first;
    if (legacy !== undefined) legacy.confinement = first;
    const confined = await ScanWorker.#begin(backend, options, first);
    if (confined instanceof ScanWorker) return confined;
    throw new Error("a process within bounds asked for bounds");
  }

  /** A worker that is ready, or what its scanner asks to be confined to. */
  static async #begin(
    backend: BackendModule,
    options: WorkerOptions,
    confinement: Confinement | undefined,
  ): Promise<ScanWorker | Confinement> {
    const limits = { ...WORKER_LIMITS, ...options.limits };
    const directory = makeDirectory();
    const terms = { moduleUrl: backend.moduleUrl, directory, memoryBytes: limits.memoryBytes };
    const launch = confinement === undefined ? launchFree(terms) : await launchConfined(terms, confinement);
    const worker = new ScanWorker(backend, limits, options, { directory, launch });
    try {
      const opened = await worker.#open(options.setUp ?? true);
      if ("confinement" in opened) {
        worker.kill();
        await worker.gone;
        return opened.confinement;
      }
      worker.#description = opened.description;
      worker.#memory.settle();
      worker.#state = "idle";
      return worker;
    } catch (error) {
      worker.kill();
      await worker.gone;
      throw error;
    }
  }

  get description(): BackendDescription {
    return this.#description!;
  }

  /** Why what the scanner depends on cannot be used at present, by its own `check`. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  get idle(): boolean {
    return this.#state === "idle";
  }

  /** How the process ended: its exit code, or the signal that ended it. `undefined` while it is alive. */
  get exit(): number | NodeJS.Signals | undefined {
    return this.#exit;
  }

  /** The end of what it printed. */
  get lastWords(): string {
    return this.#lastWords;
  }

  /** Whether it should be replaced when idle. */
  get worn(): boolean {
    return this.#worn;
  }

  /** Only while `idle`. */
  async scan(request: ScanRequest, signal: AbortSignal): Promise<ScanOutcome> {
    if (this.#state === "closing") return { kind: "cancelled" };
    if (this.#state !== "idle") return { kind: "crashed", detail: `The scanner process is ${this.#state}.` };
    this.#state = "scanning";
    this.#memory.watch();
    const id = ++this.#scans;
    const { promise, resolve: end } = Promise.withResolvers<ScanOutcome>();
    this.#running = { id, deadline: request.deadline, end };
    const stop = (outcome: ScanOutcome): void => {
      end(outcome);
      this.kill();
    };
    const onAbort = (): void => {
      if (request.deadline - Date.now() > TIMER_SLACK_MS) stop({ kind: "cancelled" });
    };
    const timer = setTimeout(
      () => stop({ kind: "timeout" }),
      timerUntil(request.deadline + this.#limits.graceMs),
    );
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await this.#send(id, request);
    } catch (error) {
      stop({
        kind: "crashed",
        detail: `The artifact could not be handed over: ${(error as Error).message}.`,
      });
    }
    const outcome = await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    this.#rest(request.bytes.length);
    return outcome;
  }

  /** Lets an idle scanner tear down for `closeMs`; ends any other at once. Resolves when it is gone. */
  async close(): Promise<void> {
    if (this.#state === "idle" && this.#child.connected) {
      this.#state = "closing";
      this.#child.send({ type: "close" } satisfies ToWorker, () => {});
      const timer = setTimeout(() => this.kill(), this.#limits.closeMs);
      await this.gone;
      clearTimeout(timer);
      return;
    }
    this.#running?.end({ kind: "cancelled" });
    this.kill();
    await this.gone;
  }

  kill(): void {
    if (this.#state === "gone") return;
    this.#state = "closing";
    this.#killAll();
  }

  #killAll(): void {
    const { pid } = this.#child;
    if (pid !== undefined) killGroup(pid);
  }

  /** Nothing more that it, or whoever it gave its output to, says is heard. */
  #hangUp(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  #rest(sizeBytes: number): void {
    this.#running = undefined;
    const tired = this.#scans >= this.#limits.maxScans || sizeBytes > this.#limits.largeBytes;
    this.#memory.rest();
    this.#worn ||= tired || this.#memory.swollen();
    if (this.#state === "scanning") this.#state = "idle";
  }

  #hear(said: unknown): void {
    const message = FromWorker.safeParse(said).data;
    if (message?.type === "told") this.#legacy?.told(message.level, message.sentence);
    else if (message?.type === "bequeathed") this.#legacy?.bequeathed(message.state);
    else if (message?.type === "condition") this.#hearCondition(message.trouble);
    else if (this.#state === "starting") this.#introduced?.(message);
    else this.#hearOutcome(message);
  }

  #hearCondition(trouble: string | undefined): void {
    this.#trouble = trouble;
    this.onCondition();
  }

  #hearOutcome(message: FromWorker | undefined): void {
    if (message === undefined || !("id" in message) || message.id !== this.#running?.id) return;
    const { deadline, end } = this.#running;
    if (message.type === "finding") end({ kind: "finding", finding: message.finding });
    // A scanner that heeds its signal gives up with an error of its own.
    else if (Date.now() >= deadline - TIMER_SLACK_MS) end({ kind: "timeout" });
    else end({ kind: message.type, detail: message.message });
  }

  async #send(id: number, { bytes, kind, sha256, types, claim, deadline }: ScanRequest): Promise<void> {
    const content = await this.#handover.give(id, bytes);
    const message: ToWorker = { type: "scan", id, kind, content, sha256, types, claim, deadline };
    // Errors of the channel end the process, which ends the scan.
    this.#child.send(message, () => {});
  }

  async #open(setUp: boolean): Promise<Opened> {
    const { promise, resolve, reject } = Promise.withResolvers<Opened>();
    const fail = (why: string, advice?: string): void => {
      const lastWords = this.#lastWords.trim();
      const hint = advice ?? (lastWords === "" ? undefined : `It said: ${lastWords.slice(-500)}`);
      reject(
        new ConfigFault(
          "BACKEND_START_FAILED",
          `The backend ${this.backend.spec} ${why}.`,
          hint ? { hint } : {},
        ),
      );
    };
    const { startMs } = this.#limits;
    const { pid } = this.#child;
    const stopWaiting = afterOwnTime(
      startMs,
      () => (pid === undefined ? 0 : waitedForProcessor(pid)),
      () => reject(tooSlow(this.backend.spec, startMs)),
    );
    this.#introduced = (message) => {
      if (message?.type === "ready" || message?.type === "confine") return resolve(message);
      if (message?.type !== "refused") return fail("did not introduce itself");
      const { code, message: sentence, hint } = message;
      return reject(new ConfigFault(code, sentence, hint === undefined ? {} : { hint }));
    };
    void this.gone.then(() => {
      const excess = this.#memory.excess(this.#lastWords);
      if (excess === undefined) fail("ended before it was ready");
      else fail("was killed before it was ready", `${excess} Raise --scan-memory (variable SCAN_MEMORY).`);
    });
    const { moduleUrl, settings } = this.backend;
    const directory = this.#directory;
    const inherited = this.#legacy?.inherited;
    const open: ToWorker = { type: "open", moduleUrl, settings, setUp, directory, inherited };
    this.#child.send(open, () => {});
    return promise.finally(stopWaiting);
  }
}

const tooSlow = (spec: string, startMs: number): Fault =>
  new Fault("BACKEND_SLOW", `The backend ${spec} was not ready within ${startMs} ms.`, {
    hint: "Either its setup hangs, or the machine is too slow for it.",
    retryable: true,
  });

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
      {
        hint: "Set TMPDIR to a folder that this process may write to.",
        cause,
      },
    );
  }
}
