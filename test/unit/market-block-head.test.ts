import { describe, expect, it } from "vitest";
import { block } from "../../src/domain/chain.ts";
import { BlockHead } from "../../src/market/polyswarmd/block-head.ts";

/** Which of the numbers are news, heard a second apart. */
const news = (head: BlockHead, numbers: number[]) =>
  numbers.filter((number, index) => head.hear(block(number), index * 1_000));

describe("the newest block", () => {
  it("only ever grows while the connection lasts", () => {
    expect(news(new BlockHead(), [5, 5, 7, 6, 7, 8, 3, 9])).toEqual([5, 7, 8, 9]);
  });

  it("is what the first message after a reconnect says, even when it is lower", () => {
    const head = new BlockHead();
    head.hear(block(500), 0);
    head.reconnected();
    expect(head.hear(block(3), 1)).toBe(true);
    expect(head.number()).toBe(3);
    head.reconnected();
    expect(head.hear(block(3), 2)).toBe(false);
  });

  it("follows a chain that was reset without breaking the connection", () => {
    const head = new BlockHead();
    expect(news(head, [500, 1, 2, 3, 4, 5, 6])).toEqual([500, 5, 6]);
  });

  it("is not carried away by a number of another chain, unless the connection stays there", () => {
    const head = new BlockHead();
    expect(news(head, [10, 17_000_000, 11, 17_000_001, 12])).toEqual([10, 11, 12]);
    expect(head.blockMs()).toBe(2_000);
    expect(news(head, [5_001, 5_002, 5_003, 5_004, 5_005, 5_006])).toEqual([5_005, 5_006]);
  });

  it("is not dragged down by a node that lags behind the others", () => {
    const head = new BlockHead();
    expect(news(head, [10, 9, 11, 10, 12, 11, 13, 12, 14, 13, 15, 14])).toEqual([10, 11, 12, 13, 14, 15]);
  });

  it("measures how long a block takes, skipped ones counted", () => {
    const head = new BlockHead();
    head.hear(block(1), 0);
    expect(head.blockMs()).toBeUndefined();
    head.hear(block(3), 4_000);
    expect(head.blockMs()).toBe(2_000);
  });
});
