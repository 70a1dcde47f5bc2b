import type { ChildProcess } from "node:child_process";

const LINGER_MS = 250;

/** What the process of a scanner prints, on both of its outputs. Its end is kept: it may say what the process died of. */
export class WorkerOutput {
  readonly #process: ChildProcess;
  #lastWords = "";

  /** `onText` hears all of it, a piece at a time. */
  constructor(process: ChildProcess, onText: (text: string) => void) {
    this.#process = process;
    for (const stream of this.#streams()) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#lastWords = (this.#lastWords + text).slice(-2000);
        onText(text);
      });
    }
  }

  get lastWords(): string {
    return this.#lastWords;
  }

  /**
   * Resolves after the process ended and what it left in its pipes was read. A program that left its group on purpose and
   * holds them open is not waited for.
   */
  hangUpSoon(): void {
    setTimeout(() => {
      for (const stream of this.#streams()) stream?.destroy();
    }, LINGER_MS).unref();
  }

  /** There may be none where the process could not be started. */
  #streams() {
    return [this.#process.stdout, this.#process.stderr];
  }
}
