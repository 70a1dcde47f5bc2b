import { expect, it } from "vitest";
import { BOUNTIES, liveOnSandbox } from "./sandbox.ts";

it("with blocks of 1 s, assertion reads of 0.7 s and receipts of 9 s, six bounties are asserted, revealed and settled", async () => {
  expect(await liveOnSandbox()).toEqual({ asserted: BOUNTIES, revealed: BOUNTIES, settled: BOUNTIES });
});
