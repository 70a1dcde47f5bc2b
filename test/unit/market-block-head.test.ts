import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockHead } from "../../src/market/onchain/head/block-head.ts";
import { block } from "../../src/market/onchain/port/block.ts";

/** Which of the numbers are news, heard a second apart. */
const news = (head: BlockHead, numbers: number[]) =>
  numbers.filter((number, index) => head.heard(block(number), index * 1_000) === "news");

const at = (number: number): BlockHead => {
  const head = new BlockHead();
  head.asked(block(number));
  return head;
};

describe("the newest block", () => {
  it("only ever grows while the chain goes on", () => {
    expect(news(new BlockHead(), [5, 5, 7, 6, 7, 8, 3, 9])).toEqual([5, 7, 8, 9]);
  });

  it("is what stream and status agree on, however far away, in either order", () => {
    const away = at(500);
    expect(away.asked(block(40_000))).toBe("odd");
    expect(away.number()).toBe(500);
    expect(away.heard(block(40_001), 0)).toBe("news");
    expect(away.number()).toBe(40_001);
    expect(away.heard(block(4), 0)).toBe("odd");
    expect(away.asked(block(3))).toBe("news");
    expect(away.number()).toBe(4);
  });

  it("follows a chain that was reset although only the stream says so", () => {
    expect(news(at(500), [1, 2, 3, 4, 5, 6])).toEqual([5, 6]);
    expect(news(at(30), [1, 1, 2, 3, 3, 4, 5, 6])).toEqual([5, 6]);
  });

  it("is not moved by a number that is said over and over", () => {
    expect(news(at(500), [17_000_000, 17_000_000, 17_000_000, 17_000_000, 17_000_000, 501])).toEqual([501]);
  });

  it("is not carried away by numbers of another chain in between", () => {
    const head = new BlockHead();
    expect(news(head, [10, 17_000_000, 11, 17_000_001, 12])).toEqual([10, 11, 12]);
    expect(head.blockMs()).toBe(2_000);
    expect(news(head, [5_001, 5_002, 5_003, 5_004, 5_005, 5_006])).toEqual([5_005, 5_006]);
  });

  it("stays where the status says it is, whatever the stream goes on saying", () => {
    const head = at(10);
    for (let number = 5_000; number < 5_010; number++) {
      expect(head.heard(block(number), 0)).toBe("odd");
      head.asked(block(10 + Math.floor((number - 5_000) / 2)));
    }
    expect(head.number()).toBe(14);
  });

  it("takes what is said of the old head for a word against what was odd", () => {
    const head = at(10);
    expect(head.heard(block(17_000_000), 0)).toBe("odd");
    expect(head.asked(block(10))).toBe("known");
    expect(head.asked(block(17_000_001))).toBe("odd");
    expect(head.number()).toBe(10);
  });

  it("follows the stream although the status names the same block for ever, as a cached page does", () => {
    const head = at(3_000);
    for (let number = 20; number < 40; number++) {
      head.heard(block(number), number);
      head.asked(block(3_000));
    }
    expect(head.number()).toBe(39);
  });

  it("is not dragged down by a node that lags behind the others", () => {
    const head = new BlockHead();
    expect(news(head, [10, 9, 11, 10, 12, 11, 13, 12, 14, 13, 15, 14])).toEqual([10, 11, 12, 13, 14, 15]);
    expect([head.asked(block(13)), head.heard(block(13), 0), head.number()]).toEqual(["known", "known", 15]);
  });

  it("never goes further than a hundred blocks on one odd number of either source", () => {
    const reach = (blocks: number) => fc.integer({ min: -blocks, max: blocks });
    const offset = fc.oneof(reach(200), reach(2_000), reach(20_000_000));
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(5), offset, fc.boolean(), (start, steps, away, fromStatus) => {
        const head = at(start);
        let truth = start;
        for (let step = 0; step < steps; step++) head.heard(block(++truth), step);
        const odd = block(Math.max(truth + away, 0));
        if (fromStatus) head.asked(odd);
        else head.heard(odd, steps);
        expect(Math.abs((head.number() ?? 0) - truth)).toBeLessThanOrEqual(100);
      }),
      { endOnFailure: true },
    );
  });

  it("is back near the truth within one block, whatever was said before, when both sources tell it", () => {
    const number = fc.integer({ min: 0, max: 20_000_000 });
    fc.assert(
      fc.property(number, number, number, (start, odd, truth) => {
        const head = at(start);
        head.heard(block(odd), 0);
        head.asked(block(truth));
        head.heard(block(truth + 1), 1);
        expect(Math.abs((head.number() ?? 0) - truth)).toBeLessThanOrEqual(100);
      }),
      { endOnFailure: true },
    );
  });

  it("measures how long a block takes, skipped ones counted", () => {
    const head = new BlockHead();
    head.heard(block(1), 0);
    expect(head.blockMs()).toBeUndefined();
    head.heard(block(3), 4_000);
    expect(head.blockMs()).toBe(2_000);
  });

  it("measures nothing across hours without a connection", () => {
    const head = new BlockHead();
    news(head, [1, 2]);
    head.asked(block(4_000));
    head.heard(block(4_001), 4_000_000);
    expect([head.number(), head.blockMs()]).toEqual([4_001, 1_000]);
  });
});
