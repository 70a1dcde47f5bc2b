import { expect, it } from "vitest";
import { marketCheck } from "../../src/producer/process/market-check.ts";

const well = { connected: true, deprecated: false, overdue: { post: 0, reveal: 0, settle: 0 } };

it("a market's line in /readyz names what is overdue, and stays ready", () => {
  expect(marketCheck(well)).toEqual({ ok: true });
  expect(marketCheck({ ...well, overdue: { post: 1, reveal: 2, settle: 0 } })).toEqual({
    ok: true,
    detail: "overdue: post 1, reveal 2",
  });
  expect(marketCheck({ ...well, connected: false, deprecated: true })).toMatchObject({
    ok: false,
    detail: expect.stringMatching(/^deprecated/),
  });
});
