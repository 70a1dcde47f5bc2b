import { describe, expect, it } from "vitest";
import { type Board, isOver, isRight, progress, readTold, type Told } from "../../src/demo/board.ts";
import { isEverythingSettled, type LedgerTotals, outcomeJson, outcomeOf } from "../../src/demo/outcome.ts";

const told = (...entries: readonly Told[]): Board => entries.reduce(progress, new Map() as Board);

const LIFE: readonly Told[] = [
  { msg: "bounty.seen", guid: "a", artifacts: 2 },
  { msg: "assertion.planned", guid: "a", stake: "1.25" },
  { msg: "assertion.posted", guid: "a", stake: "1.25", ms: 41 },
  { msg: "assertion.revealed", guid: "a" },
  { msg: "assertion.settled", guid: "a", profit: "-0.625", right: 1, wrong: 1 },
];

describe("the board of the demo", () => {
  it("follows a bounty from being heard of until it is settled", () => {
    const stages = LIFE.map((_, index) => told(...LIFE.slice(0, index + 1)).get("a")?.stage);
    expect(stages).toEqual(["seen", "planned", "asserted", "revealed", "settled"]);
    expect(told(...LIFE).get("a")).toEqual({
      guid: "a",
      artifacts: 2,
      stage: "settled",
      stake: "1.25",
      ms: 41,
      profit: "-0.625",
      verdicts: { right: 1, wrong: 1 },
    });
  });

  it("stays the very same when an entry of the log is not about a bounty's progress", () => {
    const board = told(...LIFE);
    expect(progress(board, { msg: "market.connected" })).toBe(board);
    expect(progress(board, { msg: "artifact.answered", guid: "a" })).toBe(board);
  });

  it("calls a bounty right only when every verdict was the arbiters' and there was one", () => {
    const settled = (right: number, wrong: number) =>
      isRight(told({ msg: "assertion.settled", guid: "a", right, wrong }).get("a")!);
    expect([settled(2, 0), settled(1, 1), settled(0, 2), settled(0, 0)]).toEqual([true, false, false, false]);
    expect(isRight(told(LIFE[0]!).get("a")!)).toBeUndefined();
  });

  it("expects no more of what is settled or was left alone, and of nothing else", () => {
    const over = [...LIFE, { msg: "bounty.abandoned", guid: "b", why: "no-opinion" }].map((entry) =>
      isOver(told(entry).get(entry.guid!)!),
    );
    expect(over).toEqual([false, false, false, false, true, true]);
  });

  it("takes only entries of a log for such", () => {
    expect(readTold('{"msg":"bounty.seen","guid":"a","level":"info"}')).toMatchObject({ guid: "a" });
    expect(readTold("Warning: something")).toBeUndefined();
    expect(readTold('{"guid":"a"}')).toBeUndefined();
  });
});

describe("the outcome of the demo", () => {
  const totals: LedgerTotals = {
    asserted: 1,
    revealed: 1,
    settled: 1,
    staked: 1_250_000_000_000_000_000n,
    profit: -625_000_000_000_000_001n,
    requestMs: [41, 13, 27],
  };

  it("keeps amounts exact and counts what the board was told at settlement", () => {
    const board = told(...LIFE, { msg: "bounty.abandoned", guid: "b", why: "no-opinion" });
    expect(outcomeOf(2, board, totals)).toEqual({
      bounties: 2,
      asserted: 1,
      revealed: 1,
      settled: 1,
      correct: 0,
      wrong: 1,
      silent: 1,
      stakedNct: "1.25",
      profitNct: "-0.625000000000000001",
      assertMsP50: 27,
      assertMsMax: 41,
      unfinished: [{ reason: "no answer in time; the machine is busy", bounties: 1 }],
    });
  });

  it("is JSON with numbers for amounts, written with all their digits", () => {
    const text = outcomeJson(outcomeOf(2, new Map(), totals));
    expect(text).toContain('"profitNct":-0.625000000000000001');
    expect(JSON.parse(text)).toMatchObject({ stakedNct: 1.25, asserted: 1, assertMsP50: 27 });
  });

  it("says of each bounty that was not seen through why, and counts those it never heard of", () => {
    const board = told(
      ...LIFE,
      { msg: "bounty.abandoned", guid: "b", why: "no-opinion" },
      { msg: "bounty.abandoned", guid: "c", why: "no-opinion" },
      { msg: "bounty.abandoned", guid: "d", why: "over-limit" },
      { msg: "bounty.seen", guid: "e", artifacts: 1 },
      { msg: "assertion.reveal-missed", guid: "f" },
    );
    expect(outcomeOf(8, board, totals).unfinished).toEqual([
      { reason: "no answer in time; the machine is busy", bounties: 2 },
      { reason: "over-limit", bounties: 1 },
      { reason: "still being scanned when the demo ended; the machine is busy", bounties: 1 },
      { reason: "asserted, and revealed too late; the machine is busy", bounties: 1 },
      { reason: "not heard of before the demo ended", bounties: 2 },
    ]);
  });

  it("is whole when every bounty was asserted, and every stake revealed and settled", () => {
    expect(isEverythingSettled(outcomeOf(1, new Map(), totals))).toBe(true);
    expect(isEverythingSettled(outcomeOf(2, new Map(), totals))).toBe(false);
    expect(
      isEverythingSettled(outcomeOf(1, new Map(), { ...totals, asserted: 0, revealed: 0, settled: 0 })),
    ).toBe(false);
    expect(isEverythingSettled(outcomeOf(1, new Map(), { ...totals, revealed: 0 }))).toBe(false);
    expect(isEverythingSettled(outcomeOf(1, new Map(), { ...totals, settled: 0 }))).toBe(false);
  });
});
