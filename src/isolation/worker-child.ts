/**
 * The process of a scan worker, as the consumer that started it has it: its group, its output, its memory, its files.
 *
 *     alive ──kill(), too much memory, by itself──► exited ──its output ends──► ended ──files removed──► gone
 *        └──────────────────cannot be started──────────────────────────────────►┘
 *
 * - It leads a group of its own. Whatever it started is in that, and is killed with it or, when it ended by itself, after
 *   it. A terminal's Ctrl-C does not reach the group: the consumer decides when its workers end.
 * - It is killed when it holds more than `memoryBytes`, that of programs it runs included; JavaScript's own heap ends there
 *   too. `excess` tells then.
 * - What it printed last may say what it died of: `ended` comes after that, or soon after the exit when a program that
 *   left the group on purpose holds the output open.
 * - One that hangs up before it is told to close is killed: it could not be asked anything any more.
 * - `ended` and `gone` come once, whatever ended the process, and never reject. What is sent to it then goes nowhere.
 * - What it may say at any time is dealt with here, all else goes to `onMessage`: `undefined` for what is no message.
 */
import { type ChildProcess, fork } from "node:child_process";
import { rm } from "node:fs/promises";
import { extname } from "node:path";
import type { Logger } from "../observe/log.ts";
import { killGroup } from "../scanners/process-group.ts";
import { scannerEnvironment } from "./process/environment.ts";
import { guard } from "./process/guardian.ts";
import type { Launch } from "./process/launch.ts";
import { MemoryWatch } from "./process/memory-watch.ts";
import { waitedForProcessor } from "./process/processor-wait.ts";
import { childrenOf } from "./process/procfs.ts";
import { WorkerOutput } from "./process/worker-output.ts";
import type { ScannerState } from "./scanner-state.ts";
import { FromWorker, type ToWorker } from "./worker-messages.ts";

const PROGRAM = new URL(`./worker-process${extname(import.meta.url)}`, import.meta.url);

interface ChildTerms {
  /** Of its backend, for the log. */
  readonly spec: string;
  /** Where its files go: its own, and removed after it. */
  readonly directory: string;
  readonly launch: Launch;
  readonly memoryBytes: number;
  /** Scans that it will be given. One of a single scan may have been taken over by what it was given. */
  readonly maxScans: number;
  readonly log: Logger | undefined;
  readonly scannerState: ScannerState | undefined;
}

export class WorkerChild {
  readonly directory: string;
  readonly memory: MemoryWatch;
  /** Resolves to a sentence that says how. */
  readonly ended: Promise<string>;
  /** Resolves when its files are removed, too. */
  readonly gone: Promise<void>;
  onMessage: (message: FromWorker | undefined) => void = () => {};
  /** Hears when `trouble` changed. */
  onCondition: () => void = () => {};
  readonly #process: ChildProcess;
  readonly #scannerState: ScannerState | undefined;
  readonly #maxScans: number;
  readonly #output: WorkerOutput;
  #over = false;
  #closing = false;
  /** Whether what it says must not be kept for later processes. */
  #distrusted = false;
  #trouble: string | undefined;
  #exit: number | NodeJS.Signals | undefined;

  constructor({ spec, directory, launch, memoryBytes, maxScans, log, scannerState }: ChildTerms) {
    this.#maxScans = maxScans;
    this.directory = directory;
    this.#scannerState = scannerState;
    this.#process = fork(PROGRAM, [], {
      serialization: "advanced",
      env: { ...scannerEnvironment(process.env), TMPDIR: directory },
      ...launch,
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const { pid } = this.#process;
    const release = pid === undefined ? () => {} : guard(pid, directory);
    this.memory = new MemoryWatch(pid, memoryBytes, () => this.kill());
    this.#output = new WorkerOutput(this.#process, (text) => {
      log?.debug({ backend: spec, text: text.trimEnd().slice(0, 2000) }, "scanner.output");
    });
    this.#process.on("message", (said) => this.#hear(said));
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    // Guarded until then: a consumer that ends in between leaves no files either.
    this.gone = promise
      .then(() => rm(directory, { recursive: true, force: true }))
      .catch(() => {})
      .finally(release);
    this.#onEnd((how) => {
      this.#over = true;
      this.memory.end();
      resolve(how);
    });
  }

  /** Why what the scanner depends on cannot be used at present, by its own `check`. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** A sentence when it ended for its memory. */
  get excess(): string | undefined {
    return this.memory.excess(this.#output.lastWords);
  }

  /** How it ended: its exit code, or the signal that ended it. `undefined` while it is alive. */
  get exit(): number | NodeJS.Signals | undefined {
    return this.#exit;
  }

  /** The end of what it printed. */
  get lastWords(): string {
    return this.#output.lastWords;
  }

  /** Whether it can still be told anything. */
  get connected(): boolean {
    return this.#process.connected;
  }

  /** Milliseconds that it had to wait for a processor. */
  waitedMs(): number {
    const { pid } = this.#process;
    return pid === undefined ? 0 : waitedForProcessor(pid);
  }

  send(message: ToWorker): void {
    this.#closing ||= message.type === "close";
    this.#distrusted ||= message.type === "scan" && this.#maxScans === 1;
    // Errors of the channel end the process, which is heard of.
    if (this.connected) this.#process.send(message, () => {});
  }

  /** With SIGKILL, and its group with it, and the groups of programs that it is running: it may not have told of them yet. */
  kill(): void {
    const { pid } = this.#process;
    const programs = pid === undefined || this.#over ? [] : childrenOf(pid);
    this.#killOwnGroup();
    for (const leader of programs) killGroup(leader);
  }

  #killOwnGroup(): void {
    const { pid } = this.#process;
    if (pid !== undefined && !this.#over) killGroup(pid);
  }

  /** Kills it; resolves when it is gone. */
  async end(): Promise<void> {
    this.kill();
    await this.gone;
  }

  #onEnd(end: (how: string) => void): void {
    this.#process.on("error", (error) => end(`The scanner process failed: ${error.message}.`));
    this.#process.on("disconnect", () => {
      if (!this.#closing) this.#killOwnGroup();
    });
    this.#process.on("exit", () => {
      this.#killOwnGroup();
      this.#output.hangUpSoon();
    });
    // "close" rather than "exit": by then its last words have arrived.
    this.#process.on("close", (code, signal) => {
      this.#exit = signal ?? code ?? undefined;
      end(`The scanner process ended (${signal ?? `exit code ${code}`}).`);
    });
  }

  #hear(said: unknown): void {
    const message = FromWorker.safeParse(said).data;
    if (message?.type === "told") this.#scannerState?.told(message.level, message.sentence);
    else if (message?.type === "bequeathed") this.#heir?.bequeathed(message.state);
    else if (message?.type === "measured") this.#heir?.measured(message.name, message.value);
    else if (message?.type === "condition") this.#hearCondition(message.trouble);
    else this.onMessage(message);
  }

  /** Who takes what it leaves: from a process of a single scan nothing counts that it leaves behind its artifact. */
  get #heir(): ScannerState | undefined {
    return this.#distrusted ? undefined : this.#scannerState;
  }

  #hearCondition(trouble: string | undefined): void {
    this.#trouble = trouble;
    this.onCondition();
  }
}
