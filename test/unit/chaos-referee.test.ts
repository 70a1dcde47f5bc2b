import { describe, expect, it } from "vitest";
import { type Guid, uintToGuid } from "../../src/domain/guid.ts";
import {
  type Action,
  type Facts,
  isAnswerable,
  judge,
  type MinedTransaction,
  offenders,
} from "../chaos/referee.ts";
import { allUp } from "../chaos/uptime.ts";

const guid = (number: number): Guid => uintToGuid(BigInt(number));
const bounty = (number: number) => ({ guid: guid(number), block: 10, expiration: 40 });

function mined(number: number, action: Action, reverted?: string): MinedTransaction {
  return { hash: `0x${number}${action}`, block: 12, action, guid: guid(number), reverted };
}

/** Three bounties, all of them answered, revealed and settled, in a market where everything was up. */
const facts = (change: Partial<Facts> = {}): Facts => ({
  bounties: [bounty(1), bounty(2), bounty(3)],
  transactions: [1, 2, 3].flatMap((number) => [
    mined(number, "assert"),
    mined(number, "reveal"),
    mined(number, "settle"),
  ]),
  up: [{ from: 0, to: 100 }],
  answerBlocks: 15,
  ...change,
});

const without = (number: number, action: Action): Partial<Facts> => ({
  transactions: facts().transactions.filter((each) => each.guid !== guid(number) || each.action !== action),
});

describe("the referee of the chaos suite", () => {
  it("finds nothing where everything was done once", () => {
    const judgement = judge(facts());
    expect(offenders(judgement)).toEqual([]);
    expect(judgement).toMatchObject({ posted: 3, asserted: 3, answerable: 3, failed: [] });
  });

  it.each([
    ["reveal", "unrevealed"],
    ["settle", "unsettled"],
  ] as const)("names a bounty that lacks its %s", (action, list) => {
    const judgement = judge(facts(without(2, action)));
    expect(judgement[list]).toEqual([guid(2)]);
    expect(offenders(judgement)).toEqual([guid(2)]);
  });

  it("asks neither reveal nor settlement of a bounty that was not asserted on", () => {
    const judgement = judge(facts({ transactions: [], up: [] }));
    expect(offenders(judgement)).toEqual([]);
    expect(judgement).toMatchObject({ posted: 3, asserted: 0 });
  });

  it("takes a reveal that reverted for none", () => {
    const transactions = facts().transactions.map((each) =>
      each.guid === guid(3) && each.action === "reveal" ? { ...each, reverted: "too late" } : each,
    );
    const judgement = judge(facts({ transactions }));
    expect(judgement.unrevealed).toEqual([guid(3)]);
    expect(judgement.failed).toHaveLength(1);
  });

  it("calls an assertion double although the contract refused the second one", () => {
    const again = mined(1, "assert", "Sender has already asserted");
    expect(judge(facts({ transactions: [...facts().transactions, again] })).doubleAsserted).toEqual([
      guid(1),
    ]);
  });

  it("does not call an assertion double that reverted before it succeeded", () => {
    const before = mined(1, "assert", "no reason given");
    expect(judge(facts({ transactions: [before, ...facts().transactions] })).doubleAsserted).toEqual([]);
  });

  it("does not count approvals as assertions", () => {
    const approval: MinedTransaction = {
      hash: "0xa",
      block: 12,
      action: undefined,
      guid: undefined,
      reverted: undefined,
    };
    const { transactions } = facts();
    expect(judge(facts({ transactions: [approval, approval, ...transactions] })).doubleAsserted).toEqual([]);
  });

  it("names what could have been answered and was not", () => {
    const change = without(2, "assert");
    const judgement = judge(facts({ ...change, transactions: change.transactions!.slice(0, 3) }));
    expect(judgement.missed).toEqual([guid(2), guid(3)]);
  });

  it.each<[string, Facts["up"], boolean]>([
    ["long enough in the middle of its time", [{ from: 20, to: 35 }], true],
    ["a block too short", [{ from: 20, to: 34 }], false],
    [
      "long enough, but in two pieces",
      [
        { from: 12, to: 22 },
        { from: 23, to: 33 },
      ],
      false,
    ],
    ["long before it was posted and a little after", [{ from: 0, to: 24 }], false],
    ["too late, though for long", [{ from: 26, to: 90 }], false],
    ["all the time", [{ from: 0, to: 90 }], true],
  ])("judges a bounty by whether all was up in its time: %s", (_, up, isIt) => {
    expect(isAnswerable(bounty(1), facts({ up }))).toBe(isIt);
  });
});

describe("the account of who was up", () => {
  const change = (name: string, isUp: boolean, block: number) => ({ name, isUp, block });

  it("gives the blocks in which all were up together, and closes the last one at the end", () => {
    const changes = [
      ...[change("redis", true, 1), change("producer", true, 5), change("redis", false, 9)],
      ...[change("redis", true, 12), change("producer", false, 13), change("producer", true, 20)],
    ];
    expect(allUp(["producer", "redis"], changes, 30)).toEqual([
      { from: 5, to: 9 },
      { from: 12, to: 13 },
      { from: 20, to: 30 },
    ]);
  });

  it("has no block when somebody never came up", () => {
    expect(allUp(["producer", "redis"], [change("producer", true, 1)], 30)).toEqual([]);
  });
});
