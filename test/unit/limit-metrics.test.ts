import { beforeEach, expect, it } from "vitest";
import { nct, ONE_NCT, parseNct } from "../../src/domain/nct.ts";
import { createRegistry } from "../../src/observe/metrics.ts";
import { producerMetrics } from "../../src/observe/producer-metrics.ts";
import { showLimits } from "../../src/producer/funds/limit-metrics.ts";

let registry: ReturnType<typeof createRegistry>;
let metrics: ReturnType<typeof producerMetrics>;
beforeEach(() => {
  registry = createRegistry("producer");
  metrics = producerMetrics(registry);
});

/** The samples of one metric, as label and value. */
async function samples(name: string): Promise<Record<string, number>> {
  const text = await registry.getSingleMetricAsString(`microengine_${name}`);
  const found = [...text.matchAll(/^microengine_\w+\{\w+="([^"]+)".*\} (\S+)$/gm)];
  return Object.fromEntries(found.map(([, label, value]) => [label, Number(value)]));
}

const uses = { stakedLastHour: parseNct("3"), atRisk: parseNct("2"), lost: parseNct("0.5") };

it("shows what each limit is held against, set or not, and only those limits that are set", async () => {
  const limits = { minBalance: nct(0n), fee: nct(ONE_NCT), atRisk: parseNct("5") };
  const limiter = { uses: () => uses, paused: () => undefined, atRiskOn: () => parseNct("1") };
  const chains = [
    { market: "side", available: parseNct("40"), fee: parseNct("0.03") },
    { market: "home", available: parseNct("30"), fee: parseNct("0.02") },
    { market: "side", available: undefined, fee: parseNct("0.01") },
  ] as const;
  showLimits(metrics, limits, limiter, chains);
  expect(await samples("limit_nct")).toEqual({ "at-risk": 5, "min-balance": 0, fee: 1 });
  expect(await samples("limit_used_nct")).toEqual({
    "stake-per-hour": 3,
    "at-risk": 2,
    "stop-loss": 0.5,
    "min-balance": 30,
    fee: 0.03,
  });
  expect(await samples("asserting_paused")).toEqual({ "stop-loss": 0, "lease-lost": 0 });
});

it("shows that asserting is paused for as long as it is", async () => {
  const limits = { minBalance: nct(0n), fee: nct(ONE_NCT), stopLoss: parseNct("0.5") };
  let why: "stop-loss" | undefined = "stop-loss";
  const limiter = { uses: () => uses, paused: () => why, atRiskOn: () => nct(0n) };
  showLimits(metrics, limits, limiter, []);
  expect(await samples("asserting_paused")).toEqual({ "stop-loss": 1, "lease-lost": 0 });
  why = undefined;
  showLimits(metrics, limits, limiter, []);
  expect(await samples("asserting_paused")).toEqual({ "stop-loss": 0, "lease-lost": 0 });
});

it("shows shares of each chain's own balance and stakes, of the chain on which they bind first", async () => {
  const limits = {
    minBalance: nct(0n),
    fee: nct(ONE_NCT),
    stakePerBounty: { percent: 10 },
    atRisk: { percent: 50 },
  };
  const staked = { side: parseNct("40"), home: parseNct("100") };
  const limiter = {
    uses: () => ({ ...uses, atRisk: parseNct("140") }),
    paused: () => undefined,
    atRiskOn: (market: "side" | "home") => staked[market],
  };
  const chains = [
    { market: "side", available: parseNct("60"), fee: parseNct("0.03") },
    { market: "home", available: parseNct("300"), fee: parseNct("0.03") },
  ] as const;
  showLimits(metrics, limits, limiter, chains);
  expect(await samples("limit_nct")).toMatchObject({ "stake-per-bounty": 10, "at-risk": 50 });
  expect(await samples("limit_used_nct")).toMatchObject({ "at-risk": 40 });
});
