import { RecentKeys } from "../async/recent-keys.ts";
import type { Logger } from "../observe/log.ts";
import type { Confinement } from "../scanners/contract.ts";

/** All processes of a scanner notice the same thing at about the same time. */
const SAME_MS = 10_000;
const SENTENCES_KNOWN = 1_000;

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
  readonly #told: RecentKeys;

  /** `now`: milliseconds that never go back. */
  constructor(backend: string, log: Logger, now: () => number = () => performance.now()) {
    this.#backend = backend;
    this.#log = log;
    this.#told = new RecentKeys(SENTENCES_KNOWN, { forgetMs: SAME_MS, now });
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
    if (!this.#told.add(sentence)) return;
    this.#log[level]({ backend: this.#backend, text: sentence.slice(0, 2000) }, "scanner.told");
  }
}
