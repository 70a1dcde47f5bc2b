import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roundedNct, signedNct } from "../../src/demo/amount.ts";
import type { Board, Line } from "../../src/demo/board.ts";
import { renderBoard, renderLine, renderOutcome, wrapped } from "../../src/demo/render.ts";

const SETTLED: Line = {
  guid: "863201e7-0000-4000-8000-000000000000",
  artifacts: 2,
  stage: "settled",
  stake: "1.625",
  ms: 270,
  profit: "2.180288461538461538",
  verdicts: { right: 2, wrong: 0 },
};
const LOST: Line = { ...SETTLED, guid: "9b61b6bb", profit: "-1.25", verdicts: { right: 0, wrong: 2 } };
const SILENT: Line = { guid: "e8285e25", artifacts: 12, stage: "silent", why: "no-opinion" };
const SEEN: Line = { guid: "a138e048", artifacts: 1, stage: "seen" };

const boardOf = (...lines: readonly Line[]): Board => new Map(lines.map((line) => [line.guid, line]));
const many = (count: number, line = SEEN): Line[] =>
  Array.from({ length: count }, (_, index) => ({ ...line, guid: `bounty${index}`.padEnd(8, "-") }));

describe("an amount for people", () => {
  it.each([
    ["2", "2.0000"],
    ["2.180288461538461538", "2.1803"],
    ["3.218749999999999999", "3.2187"],
    ["0.00005", "0.0001"],
    ["-0.00004", "0.0000"],
    ["-1.25", "-1.2500"],
    ["10000.99999", "10001.0000"],
  ])("of %s NCT is %s", (exact, rounded) => {
    expect(roundedNct(exact)).toBe(rounded);
  });

  it("says of a gain that it is one", () => {
    expect(["1.5", "-1.5", "0", "0.00001"].map(signedNct)).toEqual([
      "+1.5000",
      "-1.5000",
      "0.0000",
      "0.0000",
    ]);
  });
});

describe("a change of the demo, on one line", () => {
  it("says what was staked, how long it took, who was right and what came of it", () => {
    expect(renderLine(SETTLED)).toBe(
      "  863201e7  2 artifacts  settled   stake 1.6250 NCT  sent after  270 ms  2 of 2 right  profit +2.1803 NCT",
    );
    expect(renderLine(SILENT)).toBe("  e8285e25  12 artifacts  silent    (no-opinion)");
    expect(renderLine(SEEN)).toBe("  a138e048  1 artifact   scanning");
  });
});

describe("the board of the demo", () => {
  it("is a table with aligned columns, and says what its times are", () => {
    expect(renderBoard(boardOf(SETTLED, LOST, SILENT, SEEN), { rows: 20, columns: 99 })).toEqual([
      "  bounty    artifacts  stage     stake NCT  sent after  verdicts      profit NCT",
      "  863201e7          2  settled      1.6250      270 ms  2 of 2 right     +2.1803",
      "  9b61b6bb          2  settled      1.6250      270 ms  0 of 2 right     -1.2500",
      "  e8285e25         12  silent    no-opinion",
      "  a138e048          1  scanning",
      "  sent after: from the event of the bounty until the request with our assertion left",
    ]);
  });

  it("keeps verdicts and profit where the window is narrow", () => {
    expect(renderBoard(boardOf(LOST), { rows: 20, columns: 59 })).toEqual([
      "  bounty    stage     stake NCT  verdicts      profit NCT",
      "  9b61b6bb  settled      1.6250  0 of 2 right     -1.2500",
    ]);
  });

  it("sums up the oldest bounties where the window is low", () => {
    const board = boardOf(SETTLED, LOST, SILENT, SEEN, ...many(3));
    expect(renderBoard(board, { rows: 5, columns: 59 })).toEqual([
      "  bounty    stage     stake NCT  verdicts      profit NCT",
      "  4 earlier: 1 right, 1 wrong, 1 silent, 1 on the way",
      "  bounty0-  scanning",
      "  bounty1-  scanning",
      "  bounty2-  scanning",
    ]);
  });

  it("never has more lines or columns than there are", () => {
    const size = { rows: fc.integer({ min: 1, max: 40 }), columns: fc.integer({ min: 1, max: 120 }) };
    const lines = fc.array(fc.constantFrom(SETTLED, LOST, SILENT, SEEN), { maxLength: 40 });
    fc.assert(
      fc.property(lines, fc.record(size), (drawn, within) => {
        const board = boardOf(
          ...drawn.map((line, index) => ({ ...line, guid: `${index}`.padStart(8, "0") })),
        );
        const rendered = renderBoard(board, within);
        expect(rendered.length).toBeLessThanOrEqual(within.rows);
        expect(Math.max(0, ...rendered.map((line) => line.length))).toBeLessThanOrEqual(within.columns);
      }),
    );
  });

  it("marks what was right, what was wrong and what was left alone, once a line is cut", () => {
    const moods = renderBoard(
      boardOf(SETTLED, LOST, SILENT, SEEN),
      { rows: 9, columns: 12 },
      (text, mood) => {
        expect(text.length).toBeLessThanOrEqual(12);
        return mood;
      },
    );
    expect(moods).toEqual(["faint", "good", "bad", "faint", "  a138e048"]);
  });
});

describe("the last table of the demo", () => {
  it("rounds amounts and says how it ended", () => {
    const outcome = {
      bounties: 2,
      asserted: 2,
      revealed: 2,
      settled: 2,
      correct: 1,
      wrong: 1,
      silent: 0,
      stakedNct: "3.25",
      profitNct: "-0.930288461538461538",
      assertMsP50: 37,
      assertMsMax: 327,
      unfinished: [],
    };
    const text = renderOutcome(outcome);
    expect(text).toMatch(/staked +3\.2500 NCT\n +profit +-0\.9303 NCT\n/);
    expect(text).toMatch(/from bounty to assertion sent, median +37 ms\n/);
    expect(text).toMatch(/Every bounty was asserted, and every stake revealed and settled\.\n$/);
  });

  it("says how many bounties were not seen through, and why", () => {
    const outcome = {
      bounties: 6,
      asserted: 3,
      revealed: 2,
      settled: 2,
      correct: 2,
      wrong: 0,
      silent: 2,
      stakedNct: "3.25",
      profitNct: "1",
      assertMsP50: 37,
      assertMsMax: 327,
      unfinished: [
        { reason: "no answer in time; the machine is busy", bounties: 2 },
        { reason: "not heard of before the demo ended", bounties: 1 },
      ],
    };
    expect(renderOutcome(outcome)).toMatch(
      /\n {2}Only 2 of 6 bounties were seen through:\n {4}2: no answer in time; the machine is busy\n {4}1: not heard of before the demo ended\n$/,
    );
  });

  it("has no times when nothing was asserted", () => {
    const outcome = {
      bounties: 1,
      asserted: 0,
      revealed: 0,
      settled: 0,
      correct: 0,
      wrong: 0,
      silent: 1,
      stakedNct: "0",
      profitNct: "0",
      assertMsP50: null,
      assertMsMax: null,
      unfinished: [],
    };
    expect(renderOutcome(outcome)).toMatch(/median +-\n/);
  });
});

describe("a note", () => {
  it("is broken between words, and within one that is too long", () => {
    expect(wrapped("one two three\n", 8)).toEqual(["one two", "three", ""]);
    expect(wrapped("abcdefghij kl", 4)).toEqual(["abcd", "efgh", "ij", "kl"]);
  });
});
