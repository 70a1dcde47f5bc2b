/**
 * How far a scan is, on a terminal: one line that is drawn over itself. Where standard error is no terminal there is none.
 *
 *     hidden ──shown at most five times a second──► drawn ──hide(), before other text──► hidden
 */
import type { ReportCounts } from "./render.ts";
import { filesIn } from "./render.ts";

const DRAW_EVERY_MS = 200;
const BAR = 24;
const CLEAR = "\r\x1b[K";

/** What is needed of standard error. */
interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** `total` is not known at once. */
interface ProgressState {
  readonly tally: ReportCounts;
  readonly total: number | undefined;
}

export function progressLine({ tally, total }: ProgressState, columns: number): string {
  const done = filesIn(tally);
  const { malicious, suspicious } = tally.verdicts;
  const found = [
    ...(malicious > 0 ? [`${malicious} malicious`] : []),
    ...(suspicious > 0 ? [`${suspicious} suspicious`] : []),
  ];
  const share = total === undefined || total === 0 ? 0 : Math.min(1, done / total);
  const filled = Math.round(share * BAR);
  const bar = total === undefined ? "" : `[${"#".repeat(filled)}${"-".repeat(BAR - filled)}] `;
  const files = total === undefined ? `${done} files` : `${done} of ${total} files`;
  return [`${bar}${files}`, ...found].join(", ").slice(0, Math.max(1, columns - 1));
}

export class Progress implements Disposable {
  readonly #out: ProgressOutput;
  readonly #state: () => ProgressState;
  readonly #timer: NodeJS.Timeout | undefined;
  #drawn = false;

  constructor(out: ProgressOutput, state: () => ProgressState) {
    this.#out = out;
    this.#state = state;
    if (out.isTTY === true) this.#timer = setInterval(() => this.draw(), DRAW_EVERY_MS).unref();
  }

  draw(): void {
    if (this.#out.isTTY !== true) return;
    this.#out.write(`${CLEAR}${progressLine(this.#state(), this.#out.columns ?? 80)}`);
    this.#drawn = true;
  }

  /** Makes room for other text on the same terminal. */
  hide(): void {
    if (this.#drawn) this.#out.write(CLEAR);
    this.#drawn = false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.hide();
  }
}
