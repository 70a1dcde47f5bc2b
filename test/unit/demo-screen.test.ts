import { EventEmitter } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { Board, Line } from "../../src/demo/board.ts";
import { openScreen } from "../../src/demo/screen.ts";

/** A terminal, or a pipe, that remembers what was written to it. */
class Paper extends EventEmitter {
  readonly isTTY: boolean;
  rows: number;
  columns: number;
  readonly writes: string[] = [];

  constructor(isTTY: boolean, rows: number, columns: number) {
    super();
    this.isTTY = isTTY;
    this.rows = rows;
    this.columns = columns;
  }

  write(text: string): void {
    this.writes.push(text);
  }

  resize(rows: number, columns: number): void {
    Object.assign(this, { rows, columns });
    this.emit("resize");
  }

  /** How far up the cursor was moved by the last write, and the lines written from there. */
  get last(): { readonly up: number; readonly lines: readonly string[] } {
    const text = this.writes.at(-1) ?? "";
    const up = text.startsWith("\r\x1b[") ? Number.parseInt(text.slice(3), 10) : 0;
    return { up, lines: stripVTControlCharacters(text).replace(/^\r/, "").split("\n").slice(0, -1) };
  }
}

const board = (count: number): Board =>
  new Map(
    Array.from({ length: count }, (_, index): [string, Line] => {
      const guid = String(index).padStart(8, "0");
      return [guid, { guid, artifacts: 2, stage: "asserted", stake: "1.25", ms: 40 }];
    }),
  );

describe("a screen that is a terminal", () => {
  it("leaves a line for the cursor, and a column lest a line wraps, however many bounties there are", () => {
    const paper = new Paper(true, 12, 60);
    const screen = openScreen(paper, { color: true, draws: true });
    for (const count of [1, 14, 40]) {
      screen.show(board(count), undefined);
      expect(paper.last.lines.length).toBeLessThanOrEqual(11);
      expect(Math.max(...paper.last.lines.map((line) => line.length))).toBeLessThan(60);
    }
  });

  it("draws the board over itself, and below what is noted", () => {
    const paper = new Paper(true, 30, 100);
    const screen = openScreen(paper, { color: false, draws: true });
    screen.note("Begin.");
    screen.show(board(2), undefined);
    expect(paper.last.up).toBe(0);
    const { lines } = paper.last;
    screen.show(board(2), undefined);
    expect(paper.last).toEqual({ up: lines.length, lines });
    screen.note("Stopping.");
    expect(paper.last).toEqual({ up: lines.length, lines: ["Stopping.", ...lines] });
  });

  it("is drawn anew in a window of another size, over the lines that wrapped in it", () => {
    const paper = new Paper(true, 30, 100);
    const screen = openScreen(paper, { color: true, draws: true });
    screen.show(board(2), undefined);
    const wrappedRows = paper.last.lines.reduce((sum, line) => sum + Math.ceil(line.length / 30), 0);
    paper.resize(30, 30);
    expect(paper.last.up).toBe(wrappedRows);
    expect(Math.max(...paper.last.lines.map((line) => line.length))).toBeLessThan(30);
    paper.resize(5, 30);
    expect(paper.last.up).toBeLessThanOrEqual(4);
    expect(paper.last.lines.length).toBeLessThanOrEqual(4);
  });

  it("leaves the whole board behind, and hears of no more sizes", () => {
    const paper = new Paper(true, 12, 60);
    const screen = openScreen(paper, { color: false, draws: true });
    screen.show(board(40), undefined);
    screen.close();
    expect(paper.last.lines).toHaveLength(41);
    expect(paper.listenerCount("resize")).toBe(0);
  });

  it("has colors only where they are wanted", () => {
    const line: Line = { ...[...board(1).values()][0]!, stage: "settled", verdicts: { right: 2, wrong: 0 } };
    const written = (color: boolean) => {
      const paper = new Paper(true, 12, 60);
      openScreen(paper, { color, draws: true }).show(new Map([[line.guid, line]]), undefined);
      return paper.writes.join("");
    };
    expect(written(true)).toContain("\x1b[32m");
    expect(written(false)).not.toContain("\x1b[32m");
    expect(written(false)).not.toContain("\x1b[0m");
  });
});

it("a terminal on which a log is written as well is not drawn on", () => {
  const paper = new Paper(true, 12, 60);
  openScreen(paper, { color: true, draws: false }).show(board(3), "00000001");
  expect(paper.writes.join("")).not.toContain("\x1b");
});

describe("a screen that is no terminal", () => {
  it("says each change on a line of its own", () => {
    const paper = new Paper(false, 0, 0);
    const screen = openScreen(paper, { color: true, draws: true });
    screen.note("Begin.");
    screen.show(board(3), "00000001");
    screen.close();
    expect(paper.writes).toEqual([
      "Begin.\n",
      "  00000001  2 artifacts  asserted  stake 1.2500 NCT  sent after   40 ms\n",
    ]);
  });
});
