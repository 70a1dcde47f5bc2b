/**
 * Where log lines go. Writing never waits: a reader that stands still must not stop the process whose log it reads.
 *
 *     clear ──no room──► waiting: lines are kept, up to a limit ──beyond it──► dropping: all that comes is dropped and counted
 *     waiting, dropping ──room, every 50 ms──► as much as there is room for; all of it ──► clear, and what was dropped is told
 *     any ──no reader any more──► gone: everything is dropped and counted
 *
 * While there is room a line has left the process when `write` returns, so that a crash loses none. A process that ends waits
 * for the reader as long as it reads. So the lines that are missing are missing in one place, and it is told there.
 */
import { openSink, type Sink } from "./log-sink.ts";

interface LogOutputOptions {
  /** Bytes kept while there is no room; default 4 MiB, some 10,000 lines. */
  readonly keptBytes?: number;
  readonly retryMs?: number;
}

/** At the end of the process: how long a reader may stand still, and how long it may take in all. */
const STILL_MS = 500;
const LONGEST_END_MS = 5_000;
const PAUSE_MS = 5;

export class LogOutput {
  readonly #open: () => Sink;
  readonly #keptBytes: number;
  readonly #retryMs: number;
  #sink: Sink | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #gone = false;
  #dropped = 0;
  #toTell = 0;
  #onDropped: (lines: number) => void = () => {};

  /** `open` is called with the first line. */
  constructor(open: () => Sink, { keptBytes = 4 * 2 ** 20, retryMs = 50 }: LogOutputOptions = {}) {
    this.#open = open;
    this.#keptBytes = keptBytes;
    this.#retryMs = retryMs;
  }

  /** Lines that were dropped, since the process began. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Called when there is room again, with the lines that were dropped meanwhile; what it writes follows them. */
  onDropped(listener: (lines: number) => void): void {
    this.#onDropped = listener;
  }

  /** One line, or several that belong together. Never waits, never throws. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    const isDropping = this.#toTell > 0 && this.#waitingBytes > 0;
    if (this.#gone || isDropping || this.#waitingBytes + bytes.length > this.#keptBytes) {
      this.#dropped++;
      this.#toTell++;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#timer === undefined) this.#drain();
  }

  /** Waits, without giving anything else its turn, while the reader goes on reading; for when the process ends. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const endBy = performance.now() + LONGEST_END_MS;
    this.#writeOut(endBy);
    this.#tell();
    // What was told may have found no room.
    this.#writeOut(endBy);
  }

  #writeOut(endBy: number): void {
    let movedAt = performance.now();
    for (let left = this.#waitingBytes; left > 0; ) {
      this.#push();
      const now = performance.now();
      if (this.#waitingBytes < left) movedAt = now;
      left = this.#waitingBytes;
      if (left === 0 || now - movedAt > STILL_MS || now > endBy) return;
      Atomics.wait(NEVER, 0, 0, PAUSE_MS);
    }
  }

  #drain(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#push();
    if (this.#waitingBytes === 0) {
      this.#tell();
    } else {
      this.#timer ??= setTimeout(() => this.#drain(), this.#retryMs).unref();
    }
  }

  #tell(): void {
    if (this.#toTell === 0 || this.#waitingBytes > 0 || this.#gone) return;
    const lines = this.#toTell;
    this.#toTell = 0;
    this.#onDropped(lines);
  }

  /** As much as there is room for. */
  #push(): void {
    try {
      this.#sink ??= this.#open();
      const all = this.#waiting.length > 1 ? Buffer.concat(this.#waiting) : this.#waiting[0];
      if (all === undefined) return;
      let at = 0;
      for (let taken = 1; at < all.length && taken > 0; at += taken)
        taken = this.#sink.write(all.subarray(at));
      this.#waiting = at < all.length ? [all.subarray(at)] : [];
      this.#waitingBytes = all.length - at;
    } catch {
      this.#gone = true;
      this.#dropped += this.#waiting.length;
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
  }
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

let stderr: LogOutput | undefined;

/** The one output of this process's logs; what it holds back is written when the process ends. */
export function stderrOutput(): LogOutput {
  if (stderr === undefined) {
    const output = new LogOutput(() => openSink(2));
    process.on("exit", () => output.end());
    stderr = output;
  }
  return stderr;
}
