import type { Timers } from "../../src/async/timers.ts";

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Rounds of the event loop in which everything that an event set off has happened. */
const TURNS = 4;

/** A clock that stands still while anything happens: days pass in a moment, and every run of a seed is the same. */
export class ModelTime implements Timers {
  #now = 0;
  #order = 0;
  /** A binary heap, the earliest first. */
  readonly #heap: Entry[] = [];

  now(): number {
    return this.#now;
  }

  /** Runs it after so many milliseconds. */
  after(ms: number, run: () => void): void {
    this.#push({ at: this.#now + Math.max(ms, 0), order: this.#order++, run });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) reject(signal.reason);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.after(ms, resolve);
    });
  }

  timeout(ms: number): AbortSignal {
    const controller = new AbortController();
    this.after(ms, () => controller.abort(new DOMException("timed out", "TimeoutError")));
    return controller.signal;
  }

  /** Lets time pass until it is that moment, or `done` says so. */
  async passUntil(at: number, done: () => boolean = () => false): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
      const [next] = this.#heap;
      if (done() || next === undefined || next.at > at) break;
      this.#now = next.at;
      this.#pop();
      next.run();
    }
    if (!done()) this.#now = Math.max(this.#now, at);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(heap[at]!, heap[parent]!)) return;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && before(heap[left]!, heap[least]!)) least = left;
      if (right < heap.length && before(heap[right]!, heap[least]!)) least = right;
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
