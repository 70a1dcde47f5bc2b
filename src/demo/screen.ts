import type { Board } from "./board.ts";
import { renderBoard, renderLine } from "./render.ts";

/** Where the demo shows how it goes on. */
export interface Screen {
  note(text: string): void;
  show(board: Board, changed: string | undefined): void;
}

/** On a terminal the board is drawn over itself; anywhere else every change is a line of its own. */
export function openScreen(
  out: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly rows?: number },
): Screen {
  return out.isTTY === true ? liveScreen(out) : plainScreen(out);
}

function plainScreen(out: NodeJS.WritableStream): Screen {
  return {
    note: (text) => void out.write(`${text}\n`),
    show: (board, changed) => {
      const line = changed === undefined ? undefined : board.get(changed);
      if (line !== undefined) out.write(`${renderLine(line)}\n`);
    },
  };
}

function liveScreen(out: NodeJS.WritableStream & { readonly rows?: number }): Screen {
  let drawn = 0;
  const erase = () => (drawn === 0 ? "" : `\x1b[${drawn}A\x1b[0J`);
  return {
    note(text) {
      out.write(`${erase()}${text}\n`);
      drawn = 0;
    },
    show(board) {
      // A board longer than the window cannot be drawn over: its end is what is new.
      const lines = renderBoard(board).slice(-Math.max(1, (out.rows ?? 24) - 2));
      out.write(`${erase()}${lines.map((line) => `${line}\n`).join("")}`);
      drawn = lines.length;
    },
  };
}
