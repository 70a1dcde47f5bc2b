import { expect, it } from "vitest";
import { canStillReveal, resendPatienceMs } from "../../src/market/onchain/chain/take-over.ts";

it("a start waits a second, not five, for what an earlier run signed when a reveal is due that is not signed", () => {
  const [window, head] = [10, 100];
  expect(resendPatienceMs([], window, head)).toBe(5_000);
  expect(resendPatienceMs([120, 101], window, head)).toBe(5_000);
  expect(resendPatienceMs([120, 100], window, head)).toBe(1_000);
});

it("nothing is looked into before a reveal that can still be in time, and a window that is over holds no look up", () => {
  const [window, head] = [10, 100];
  expect(canStillReveal([head], window, head)).toBe(true);
  expect(canStillReveal([head - window, head + window], window, head)).toBe(false);
  expect(canStillReveal([], window, head)).toBe(false);
});
