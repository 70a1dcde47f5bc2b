import { expect, it } from "vitest";
import { ONCHAIN_PLAN } from "../../src/market/onchain/settlement/plan.ts";
import { mayDo } from "../../src/producer/process/standing.ts";

const STEPS = Object.entries(ONCHAIN_PLAN.steps);
const allowed = (standing: Parameters<typeof mayDo>[0]) =>
  STEPS.filter(([, { kind }]) => mayDo(standing, kind)).map(([step]) => step);

it("before the lease was asked for, only what is due is revealed; without it, everything but a new assertion is done", () => {
  expect(allowed("unasked")).toEqual(["reveal", "confirm-reveal"]);
  expect(allowed("apart")).toEqual(STEPS.map(([step]) => step).filter((step) => step !== "post"));
  expect(allowed("leased")).toEqual(STEPS.map(([step]) => step));
});
