import { expect, it } from "vitest";
import { handOverMs } from "../../src/producer/start/chain-promises.ts";

it("a start waits a second, not five, for what an earlier run signed when a reveal is due that is not signed", () => {
  const [window, head] = [10, 100];
  expect(handOverMs([], window, head)).toBe(5_000);
  expect(handOverMs([120, 101], window, head)).toBe(5_000);
  expect(handOverMs([120, 100], window, head)).toBe(1_000);
});
