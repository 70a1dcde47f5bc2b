/**
 * One scanner in one process that can be killed, seen from the consumer.
 *
 *     start() ──ready──► idle ──scan()──► scanning ──answer──► idle
 *         │                │                  │
 *      refused,         close()         overrun, cancelled, too large:
 *      no answer           │            killed; or it died by itself
 *         ▼                ▼                  ▼
 *       throws           closing ──────────► gone
 *
 * - At most one scan at a time; `scan` never rejects, every end of it is an outcome.
 * - At its deadline the scanner hears an abort; `graceMs` later the process is killed (SIGKILL: an endless loop hears
 *   nothing else) and the outcome is `timeout`. An abort before the deadline kills at once: `cancelled`.
 * - Its memory is looked at from outside: beyond `memoryBytes` it is killed, and the outcome of its scan is
 *   `out-of-memory`.
 * - `gone` is final and comes once, whatever ended the process; its files are removed then. A pool replaces it. When it
 *   died idle, `idleDeath` says of what.
 * - A worker is `worn` after `maxScans`, when half of the memory it had to spare at its start is used up and not given
 *   back, or after content so large that it may not be (WASM does not shrink); it still answers what it is doing.
 */
import type { BackendDescription } from "../scanners/contract.ts";
import type { BackendModule } from "../scanners/registry.ts";
import { ContentTransfer } from "./content-transfer.ts";
import { type Death, RunningScan, type ScanOutcome, type ScanRequest } from "./running-scan.ts";
import { type Started, type StartOptions, startChild } from "./start-child.ts";
import type { WorkerChild } from "./worker-child.ts";
import { WORKER_LIMITS, type WorkerLimits } from "./worker-limits.ts";

interface WorkerOptions extends Omit<StartOptions, "limits"> {
  readonly limits?: Partial<WorkerLimits>;
}

export class ScanWorker {
  readonly description: BackendDescription;
  readonly #child: WorkerChild;
  readonly #transfer: ContentTransfer;
  readonly #limits: WorkerLimits;
  #state: "idle" | "scanning" | "closing" | "gone" = "idle";
  #running: RunningScan | undefined;
  #scans = 0;
  #worn = false;
  #idleDeath: Death | undefined;

  private constructor({ child, description }: Started, limits: WorkerLimits) {
    this.description = description;
    this.#child = child;
    this.#limits = limits;
    this.#transfer = new ContentTransfer(child.directory, limits);
    child.onMessage = (message) => this.#running?.hear(message);
    void child.ended.then((how) => this.#end(how));
  }

  /** Starts the process, loads the scanner and sets it up. Throws what `startChild` throws. */
  static async start(backend: BackendModule, options: WorkerOptions = {}): Promise<ScanWorker> {
    const limits = { ...WORKER_LIMITS, ...options.limits };
    return new ScanWorker(await startChild(backend, { ...options, limits }), limits);
  }

  /** Resolves when the process is gone and its files are removed. */
  get gone(): Promise<void> {
    return this.#child.gone;
  }

  get idle(): boolean {
    return this.#state === "idle" && this.#child.connected;
  }

  /** Whether it should be replaced when idle. */
  get worn(): boolean {
    return this.#worn;
  }

  get idleDeath(): Death | undefined {
    return this.#idleDeath;
  }

  /** Why what the scanner depends on cannot be used at present, by its own `check`. */
  get trouble(): string | undefined {
    return this.#child.trouble;
  }

  /** `listener` hears when `trouble` changed. */
  onCondition(listener: () => void): void {
    this.#child.onCondition = listener;
  }

  /** How the process ended: its exit code, or the signal that ended it. `undefined` while it is alive. */
  get exit(): number | NodeJS.Signals | undefined {
    return this.#child.exit;
  }

  /** The end of what it printed. */
  get lastWords(): string {
    return this.#child.lastWords;
  }

  /** Only while `idle`. */
  async scan(request: ScanRequest, signal: AbortSignal): Promise<ScanOutcome> {
    if (this.#state === "closing") return { kind: "cancelled" };
    if (this.#state !== "idle") return { kind: "crashed", detail: `The scanner process is ${this.#state}.` };
    this.#state = "scanning";
    const id = ++this.#scans;
    const { graceMs } = this.#limits;
    const scan = new RunningScan(id, request.deadline, { signal, graceMs, kill: () => this.kill() });
    this.#running = scan;
    try {
      await this.#send(id, request);
    } catch (error) {
      const detail = `The artifact could not be handed over: ${(error as Error).message}.`;
      // What it has written of it takes room that may be wanted, and goes with the process.
      scan.stop({ kind: "not-handed-over", detail });
    }
    const outcome = await scan.outcome;
    this.#rest(request.bytes.length);
    return outcome;
  }

  /** Lets an idle scanner tear down for `closeMs`; ends any other at once. Resolves when it is gone. */
  async close(): Promise<void> {
    if (this.idle) {
      this.#state = "closing";
      this.#child.send({ type: "close" });
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
    this.#child.kill();
  }

  async #send(id: number, { bytes, kind, sha256, types, claim, deadline }: ScanRequest): Promise<void> {
    const content = await this.#transfer.give(id, bytes);
    this.#child.send({ type: "scan", id, kind, content, sha256, types, claim, deadline });
  }

  /** The scan is over, and with it what it wore out is known. */
  #rest(sizeBytes: number): void {
    const { maxScans, largeBytes } = this.#limits;
    const { memory } = this.#child;
    this.#running = undefined;
    this.#worn ||= this.#scans >= maxScans || sizeBytes > largeBytes || memory.swollen();
    if (this.#state === "scanning") this.#state = "idle";
  }

  #end(how: string): void {
    const { excess } = this.#child;
    const death: Death =
      excess === undefined ? { kind: "crashed", detail: how } : { kind: "out-of-memory", detail: excess };
    if (this.#state === "idle") this.#idleDeath = death;
    this.#state = "gone";
    this.#transfer[Symbol.dispose]();
    this.#running?.end(death);
  }
}
