/**
 * The warm workers of one backend.
 *
 * A scan takes an idle worker; when there is none and fewer than `size` exist, it starts one; otherwise it waits
 * until one is free or its own deadline comes. The pool keeps one worker ahead of the demand, so that neither a
 * second scan nor the one after a kill waits for a process to start. One of them is the lead, which may take long to set
 * up and is preferred once it is ready; while it starts, the others serve. Where each artifact has a process of its own
 * there is none. Worn and dead workers leave the pool by themselves.
 * A scan that a worker died of is answered and not tried again; content that keeps killing is not even tried. After a
 * worker that died idle the pool starts none ahead of the demand: the next may die in the same way, again and again.
 */

import { timerUntil } from "../async/long-timer.ts";
import { describeError } from "../domain/fault.ts";
import type { Logger } from "../observe/log.ts";
import type { BackendDescription } from "../scanners/contract.ts";
import type { BackendModule } from "../scanners/registry.ts";
import { PoisonMemory } from "./poison.ts";
import type { Death, ScanOutcome, ScanRequest } from "./running-scan.ts";
import { ScanWorker } from "./scan-worker.ts";
import { ScannerState } from "./scanner-state.ts";
import type { WorkerLimits } from "./worker-limits.ts";

interface ScanPoolOptions {
  /** Scans at the same time at most. */
  readonly size: number;
  readonly log: Logger;
  readonly limits?: Partial<WorkerLimits>;
  /** Backends, by the name or as the operator wrote them, of which each artifact has a process of its own. */
  readonly fresh?: readonly string[];
}

interface PoolTerms extends ScanPoolOptions {
  readonly scannerState: ScannerState;
}

type Role = "lead" | "other";

/** Of the next process, when there is no lead. */
const roleOf = ({ limits }: ScanPoolOptions): Role => (limits?.maxScans === 1 ? "other" : "lead");

/** A backend as the job handler needs it. */
export interface Backend {
  readonly description: BackendDescription;
  /** Never rejects. */
  scan(request: ScanRequest, signal: AbortSignal): Promise<ScanOutcome>;
}

interface Waiter {
  readonly take: (worker: ScanWorker | ScanOutcome) => void;
}

export class ScanPool implements Backend, AsyncDisposable {
  readonly description: BackendDescription;
  readonly #module: BackendModule;
  readonly #options: PoolTerms;
  readonly #workers = new Set<ScanWorker>();
  /** Idle, and given to no scan. */
  readonly #free: ScanWorker[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #poison = new PoisonMemory();
  #starting = 0;
  #lead: ScanWorker | "starting" | undefined;
  /** Whether a process besides the lead was ever ready, and has left to others what took it long. */
  #followed = false;
  #startFailure: string | undefined;
  /** False after a worker died idle, until one has survived a scan. */
  #steady = true;
  /** What the log was told last. */
  #toldTrouble: string | undefined;
  #closed = false;

  private constructor(module: BackendModule, first: ScanWorker, options: PoolTerms) {
    this.#module = module;
    this.#options = options;
    this.description = first.description;
    this.#adopt(first, roleOf(options));
    this.#keepAhead();
  }

  /**
   * Starts the first worker. Throws ConfigFault when the backend cannot be used, and `signal.reason` when that aborts
   * before it is ready.
   */
  static async open(
    module: BackendModule,
    options: ScanPoolOptions,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<ScanPool> {
    const scannerState = new ScannerState(module.spec, options.log);
    const { fresh = [] } = options;
    const ofOneScan = { ...options, scannerState, limits: { ...options.limits, maxScans: 1 } };
    const terms = fresh.includes(module.spec) ? ofOneScan : { ...options, scannerState };
    const first = await ScanWorker.start(module, { ...terms, lead: roleOf(terms) === "lead", signal });
    if (terms === ofOneScan || !fresh.includes(first.description.name))
      return new ScanPool(module, first, terms);
    await first.close();
    const only = await ScanWorker.start(module, { ...ofOneScan, lead: false, signal });
    return new ScanPool(module, only, ofOneScan);
  }

  /** What its scanner measures, by names. */
  get measures(): ReadonlyMap<string, number> {
    return this.#options.scannerState.measures;
  }

  /** False when no worker is alive and the last attempt to start one failed. */
  healthy(): boolean {
    return this.#workers.size > 0 || this.#startFailure === undefined;
  }

  /** Why the backend cannot be used at present: what one of its processes says, or why none can be started. */
  trouble(): string | undefined {
    if (!this.healthy()) return this.#startFailure;
    return this.#workers.values().find(({ trouble }) => trouble !== undefined)?.trouble;
  }

  async scan(request: ScanRequest, signal: AbortSignal): Promise<ScanOutcome> {
    const poisonous = this.#poison.refusal(request.sha256);
    if (poisonous !== undefined) return { kind: "crashed", detail: poisonous };
    const worker = await this.#take(request.deadline, signal);
    if (!(worker instanceof ScanWorker)) return worker;
    const outcome = await worker.scan(request, signal);
    if (outcome.kind === "crashed" || outcome.kind === "out-of-memory")
      this.#recordDeath(outcome, request.sha256);
    if (outcome.kind === "not-handed-over") this.#tellDeath(outcome);
    this.#giveBack(worker);
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.take({ kind: "cancelled" });
    await Promise.all([...this.#workers].map((worker) => worker.close()));
  }

  async #take(deadline: number, signal: AbortSignal): Promise<ScanWorker | ScanOutcome> {
    const free = this.#takeIdle();
    this.#keepAhead();
    if (free !== undefined) return free;

    const { promise, resolve } = Promise.withResolvers<ScanWorker | ScanOutcome>();
    const waiter: Waiter = { take: resolve };
    const leave = (outcome: ScanOutcome): void => {
      const at = this.#waiters.indexOf(waiter);
      if (at !== -1) this.#waiters.splice(at, 1);
      resolve(outcome);
    };
    const onAbort = (): void => leave({ kind: "cancelled" });
    const timer = setTimeout(() => leave({ kind: "timeout" }), timerUntil(deadline));
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiters.push(waiter);
    this.#keepAhead();
    const taken = await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    return taken;
  }

  /** One that is alive: a dead one counts as idle until its output has ended. */
  #takeIdle(): ScanWorker | undefined {
    const lead = this.#free.findIndex((worker) => worker === this.#lead && worker.idle);
    if (lead !== -1) return this.#free.splice(lead, 1)[0];
    for (let worker = this.#free.pop(); worker !== undefined; worker = this.#free.pop())
      if (worker.idle) return worker;
    return undefined;
  }

  #recordDeath(death: Death, sha256: string): void {
    this.#poison.died(sha256);
    this.#tellDeath(death, { sha256 });
  }

  #tellDeath({ kind: why, detail }: { kind: string; detail: string }, of: { sha256?: string } = {}): void {
    this.#options.log.warn({ backend: this.description.name, ...of, why, detail }, "scanner.died");
  }

  #giveBack(worker: ScanWorker): void {
    if (worker.worn || this.#closed) {
      this.#forget(worker);
      void worker.close();
      this.#keepAhead();
    } else if (worker.idle) {
      this.#steady = true;
      this.#offer(worker);
    }
  }

  #forget(worker: ScanWorker): void {
    this.#workers.delete(worker);
    if (this.#lead === worker) this.#lead = undefined;
  }

  /** Gives it to the scan that has waited longest, else keeps it idle. */
  #offer(worker: ScanWorker): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#free.push(worker);
    else waiter.take(worker);
  }

  #adopt(worker: ScanWorker, role: Role): void {
    this.#workers.add(worker);
    if (role === "lead") this.#lead = worker;
    else this.#followed = true;
    worker.onCondition(() => this.#tellTrouble());
    this.#tellTrouble();
    void worker.gone.then(() => {
      this.#forget(worker);
      const at = this.#free.indexOf(worker);
      if (at !== -1) this.#free.splice(at, 1);
      if (worker.idleDeath !== undefined) {
        this.#steady = false;
        this.#tellDeath(worker.idleDeath);
      }
      this.#keepAhead();
    });
    this.#offer(worker);
  }

  #tellTrouble(): void {
    const reason = this.trouble();
    if (reason === this.#toldTrouble) return;
    this.#toldTrouble = reason;
    const backend = this.description.name;
    if (reason === undefined) this.#options.log.info({ backend }, "scanner.recovered");
    else this.#options.log.warn({ backend, reason }, "scanner.trouble");
  }

  /**
   * Starts a worker for each waiting scan and one more. After a failed start, or when one died idle, only a waiting scan
   * tries again.
   */
  #keepAhead(): void {
    if (this.#closed) return;
    const spare = this.#steady && this.#startFailure === undefined ? 1 : 0;
    const room = (): number =>
      this.#options.size - this.#workers.size - this.#starting - (this.#lead === "starting" ? 1 : 0);
    // No scan waits for the lead: that may take long.
    const wanted = this.#waiters.length + spare - this.#free.length - this.#starting;
    const leads = roleOf(this.#options) === "lead" && this.#lead === undefined;
    if (leads && wanted > 0 && room() > 0) void this.#start("lead");
    const atOnce = this.#followed ? Number.POSITIVE_INFINITY : 1 - this.#starting;
    for (let missing = Math.min(wanted, room(), atOnce); missing > 0; missing--) void this.#start("other");
  }

  async #start(role: Role): Promise<void> {
    if (role === "lead") this.#lead = "starting";
    else this.#starting++;
    const begun = (): void => {
      if (role === "other") this.#starting--;
      else this.#lead = undefined;
    };
    try {
      const worker = await ScanWorker.start(this.#module, { ...this.#options, lead: role === "lead" });
      begun();
      this.#startFailure = undefined;
      if (this.#closed) await worker.close();
      else this.#adopt(worker, role);
    } catch (error) {
      begun();
      this.#startFailure = describeError(error);
      this.#options.log.error(
        { backend: this.description.name, error: this.#startFailure },
        "scanner.start-failed",
      );
      this.#waiters.shift()?.take({ kind: "crashed", detail: this.#startFailure });
    }
    this.#keepAhead();
  }
}
