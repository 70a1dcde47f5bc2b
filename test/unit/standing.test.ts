import { expect, it } from "vitest";
import type { Duty } from "../../src/market/onchain/settlement/record/duty.ts";
import { mayDo } from "../../src/producer/process/standing.ts";

const DUTIES: readonly Duty[] = [
  ...([
    "post",
    "confirm-post",
    "verify-post",
    "publish",
    "reveal",
    "confirm-reveal",
    "verify-reveal",
  ] as const),
  ...(["miss-reveal", "ask-quorum", "settle", "confirm-settle", "give-up"] as const),
];
const allowed = (standing: Parameters<typeof mayDo>[0]) => DUTIES.filter((duty) => mayDo(standing, duty));

it("before the lease was asked for, only what is due is revealed; without it, everything but a new assertion is done", () => {
  expect(allowed("unasked")).toEqual(["reveal", "confirm-reveal"]);
  expect(allowed("apart")).toEqual(DUTIES.filter((duty) => duty !== "post"));
  expect(allowed("leased")).toEqual(DUTIES);
});
