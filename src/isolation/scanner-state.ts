import type { Logger } from "../observe/log.ts";
import type { Confinement } from "../scanners/contract.ts";

/** All processes of a scanner notice the same thing at about the same time. */
const SAME_MS = 10_000;

/** Each is a series of the metrics. */
const MOST_MEASURES = 16;

/**
 * What outlives the processes of one scanner: what they left for those that come after them, and which of their
 * sentences the log has had already.
 */
export class ScannerState {
  /** What the scanner asked for when it was loaded first; `undefined` before. */
  confinement: Confinement | undefined;
  /** What its processes measured last, by names. */
  readonly measures = new Map<string, number>();
  #inherited: unknown;
  readonly #backend: string;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #lastTold = new Map<string, number>();

  /** `now`: milliseconds that never go back. */
  constructor(backend: string, log: Logger, now: () => number = () => performance.now()) {
    this.#backend = backend;
    this.#log = log;
    this.#now = now;
  }

  get inherited(): unknown {
    return this.#inherited;
  }

  bequeathed(state: unknown): void {
    this.#inherited = state;
  }

  measured(name: string, value: number): void {
    if (this.measures.has(name) || this.measures.size < MOST_MEASURES) this.measures.set(name, value);
  }

  told(level: "info" | "warn", sentence: string): void {
    const now = this.#now();
    for (const [told, at] of this.#lastTold) if (now - at >= SAME_MS) this.#lastTold.delete(told);
    if (this.#lastTold.has(sentence)) return;
    this.#lastTold.set(sentence, now);
    this.#log[level]({ backend: this.#backend, text: sentence.slice(0, 2000) }, "scanner.told");
  }
}
