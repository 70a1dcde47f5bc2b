import { describe, expect, it } from "vitest";
import { blockMsAt, measureShare, paceNote } from "../../src/demo/pace.ts";

describe("the pace of the demo", () => {
  it("is a block a second on a machine with nothing else to do", () => {
    expect([1, 0.9, 0.7].map(blockMsAt)).toEqual([1_000, 1_000, 1_000]);
    expect(paceNote(1_000, 90)).toBeUndefined();
  });

  it("is the slower the less of a processor there is, within a bound", () => {
    expect([0.35, 0.2, 0.1, 0].map(blockMsAt)).toEqual([2_000, 3_500, 6_000, 6_000]);
  });

  it("is explained where it is slow", () => {
    expect(paceNote(3_500, 244)).toBe(
      "This machine is busy with other work: blocks take 3.5 seconds instead of 1,\nand all of it about 5 minutes.",
    );
  });

  it("is measured as a share", () => {
    const share = measureShare();
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThanOrEqual(1);
  });
});
