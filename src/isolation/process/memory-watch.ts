import { residentBytes } from "./resident-memory.ts";

/** A process that grows as fast as memory can be touched gets some 100 MB further between two looks. */
const LOOK_EVERY_MS = 50;

/** What V8 says before it ends the process. */
const HEAP_FULL = "JavaScript heap out of memory";

/**
 * The memory of one process, seen from outside: of one that works at full stretch nothing can be seen from inside. It is
 * looked at between scans too, since not all that a scan began ends with it. Sees nothing where there is no /proc; the
 * limit of the JavaScript heap, which Node keeps itself, holds there too.
 */
export class MemoryWatch {
  readonly #pid: number | undefined;
  readonly #limitBytes: number;
  readonly #onExcess: () => void;
  readonly #timer: NodeJS.Timeout;
  #settledBytes: number | undefined;
  #excessBytes: number | undefined;

  /** Looks now and then until the process is over its limit, or it is told to end. */
  constructor(pid: number | undefined, limitBytes: number, onExcess: () => void) {
    this.#pid = pid;
    this.#limitBytes = limitBytes;
    this.#onExcess = onExcess;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** The process is ready: what it holds now is what it needs, and may be too much before any look has seen it. */
  settle(): void {
    this.#look();
    this.#settledBytes = this.#held();
  }

  /** Whether it has kept, of what the limit left it when it settled, more than half. */
  swollen(): boolean {
    const held = this.#held();
    if (held === undefined || this.#settledBytes === undefined) return false;
    return held > this.#settledBytes + (this.#limitBytes - this.#settledBytes) / 2;
  }

  /** A sentence when it ended for its memory; `lastWords` are what it printed at the end. */
  excess(lastWords: string): string | undefined {
    if (this.#excessBytes !== undefined)
      return `It held ${this.#excessBytes} bytes of memory, of ${this.#limitBytes}.`;
    return lastWords.includes(HEAP_FULL)
      ? `Its JavaScript heap reached ${this.#limitBytes} bytes.`
      : undefined;
  }

  #look(): void {
    const held = this.#held();
    if (held === undefined || held <= this.#limitBytes) return;
    this.end();
    this.#excessBytes = held;
    this.#onExcess();
  }

  #held(): number | undefined {
    return this.#pid === undefined ? undefined : residentBytes(this.#pid);
  }
}
