import { stripVTControlCharacters } from "node:util";
import { COLORS, type Paint } from "../terminal/paint.ts";
import type { Board } from "./board.ts";
import { renderBoard, renderLine, type Size, wrapped } from "./render.ts";

/** Where the demo shows how it goes on. */
interface Screen {
  note(text: string): void;
  show(board: Board, changed: string | undefined): void;
  /** Leaves the whole board behind. */
  close(): void;
}

/** Standard output or error as far as it matters here. */
interface Output {
  readonly isTTY?: boolean;
  readonly rows?: number;
  readonly columns?: number;
  write(text: string): unknown;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

interface ScreenOptions {
  readonly color: boolean;
  /** Whether a terminal is drawn on: not when a log is written there as well. */
  readonly draws: boolean;
}

/** On a terminal the board is drawn over itself; anywhere else every change is a line of its own. */
export function openScreen(out: Output, { color, draws }: ScreenOptions): Screen {
  return out.isTTY === true && draws ? liveScreen(out, color ? COLORS : undefined) : plainScreen(out);
}

/** Broken between words on a terminal only: what is read by programs stays a line. */
function plainScreen(out: Output): Screen {
  const write = (text: string): void => {
    const lines = out.isTTY === true ? wrapped(text, (out.columns ?? 80) - 1) : [text];
    out.write(`${lines.join("\n")}\n`);
  };
  return {
    note: write,
    show: (board, changed) => {
      const line = changed === undefined ? undefined : board.get(changed);
      if (line !== undefined) write(renderLine(line));
    },
    close: () => undefined,
  };
}

/** Notes stay where they are written; the board is below them, drawn anew whenever it or the window changes. */
function liveScreen(out: Output, paint: Paint | undefined): Screen {
  let board: Board = new Map();
  let drawn: readonly string[] = [];

  /** One line and one column less than there are: the cursor needs a line, and a full line may wrap. */
  const window = (): Size => ({ rows: (out.rows ?? 24) - 1, columns: (out.columns ?? 80) - 1 });

  /** To the first line of what was drawn, which a narrower window may have wrapped since. */
  function toTop(): string {
    const { rows, columns } = window();
    const up = Math.min(
      rows,
      drawn.map((line) => rowsOf(line, columns + 1)).reduce((a, b) => a + b, 0),
    );
    return up === 0 ? "\r" : `\r\x1b[${up}A`;
  }

  function draw(above: readonly string[], size: Size): void {
    const lines = board.size === 0 ? [] : renderBoard(board, size, paint);
    // Line by line: some terminals keep a screen that is erased as a whole in their scrollback.
    const text = [...above, ...lines].map((line) => `${line}\x1b[K\n`).join("");
    out.write(`${toTop()}${text}\x1b[0J`);
    drawn = lines;
  }

  const resized = (): void => draw([], window());
  out.on("resize", resized);
  return {
    note: (text) => draw(wrapped(text, window().columns), window()),
    show(next) {
      board = next;
      draw([], window());
    },
    close() {
      out.off("resize", resized);
      draw([], { ...window(), rows: Number.POSITIVE_INFINITY });
      drawn = [];
      board = new Map();
    },
  };
}

/** How many rows a line takes in a window of so many columns. */
const rowsOf = (line: string, columns: number): number =>
  Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns));
