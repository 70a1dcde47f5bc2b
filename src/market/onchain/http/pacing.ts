import { WaitingLine } from "../../../async/waiting-line.ts";
import { LANES, type Lane } from "./lane.ts";

/**
 * When a request may be sent. Normally at once. When the marketplace says 429, all requests wait, the urgent ones less
 * long than the others. After that those that waited pass one by one, the most urgent first.
 *
 *     open    - pass() resolves at once
 *     closed  - pass() waits; close() may prolong it
 *     passing - the closing time of a lane is over and requests still wait: one passes every `spacingMs`
 *
 * It is open again when the closing time of the last lane is over and nothing waits.
 */

/** Milliseconds. A long pause is meant for those that ask much; a reveal that waits for all of it comes too late. */
const LONGEST_PAUSE_MS: Readonly<Record<Lane, number>> = {
  reveal: 3_000,
  assertion: 10_000,
  settle: 30_000,
  read: 30_000,
};
/** The lane that is closed the longest. */
const LAST: Lane = "read";
/** Timers are a little early at times. */
const SLACK_MS = 1;

export class Pacer {
  readonly #spacingMs: number;
  readonly #longestPauseMs: Readonly<Record<Lane, number>>;
  readonly #waiting = new WaitingLine<Lane>(LANES);
  #timer: NodeJS.Timeout | undefined;
  readonly #opensAt: Record<Lane, number> = { reveal: 0, assertion: 0, settle: 0, read: 0 };
  /** When the next one may pass after the one before. */
  #nextAt = 0;

  constructor(options: {
    readonly spacingMs: number;
    readonly longestPauseMs?: Readonly<Record<Lane, number>>;
  }) {
    this.#spacingMs = options.spacingMs;
    this.#longestPauseMs = options.longestPauseMs ?? LONGEST_PAUSE_MS;
  }

  /** Nothing passes for `forMs` milliseconds from now, or for the longest pause of its lane. */
  close(forMs: number): void {
    const now = performance.now();
    for (const [lane, longest] of Object.entries(this.#longestPauseMs) as [Lane, number][]) {
      this.#opensAt[lane] = Math.max(this.#opensAt[lane], now + Math.min(forMs, longest));
    }
    this.#schedule();
  }

  /** Resolves when a request of this lane may be sent; rejects with the signal's reason. */
  async pass(lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#timer === undefined) return;
    const admitted = this.#waiting.wait(lane, signal);
    this.#schedule();
    if (!(await admitted)) throw signal?.reason;
  }

  /** Everything passes from now on: the gateway is not asked any more. */
  release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const request of this.#waiting) request.letIn();
  }

  /** Wakes up when the most urgent of the waiting may pass, or when nothing need wait any more. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const at = Math.max(this.#opensAt[this.#waiting.first()?.key ?? LAST], this.#nextAt);
    this.#timer = setTimeout(() => this.#admitOne(), Math.max(at - performance.now(), 0));
  }

  #admitOne(): void {
    this.#timer = undefined;
    const now = performance.now();
    const next = this.#waiting.first();
    if (this.#opensAt[next?.key ?? LAST] > now + SLACK_MS) {
      this.#schedule();
      return;
    }
    if (next === undefined) return;
    next.letIn();
    this.#nextAt = now + this.#spacingMs;
    this.#schedule();
  }
}
