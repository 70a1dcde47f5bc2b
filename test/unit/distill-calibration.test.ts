import { describe, expect, it } from "vitest";
import { bayes } from "../../src/distill/bayes.ts";
import { fitCalibration, logistic, UNCALIBRATED } from "../../src/distill/calibration.ts";
import type { DistillEngine, Knowledge } from "../../src/distill/contract.ts";
import { hindsight, learn } from "../../src/distill/learn.ts";
import { NOTHING_LEARNED } from "../../src/distill/reliability.ts";
import { type Bin, type Score, scoreOf } from "../../src/distill/scoring.ts";
import { any, majority } from "../../src/distill/votes.ts";
import { type Ppm, ppm, ratioOf } from "../../src/domain/verdict.ts";
import { average } from "../fixtures/average-engine.ts";
import {
  MARKET,
  randomFrom,
  type SimulatedArtifact,
  type SimulatedEngine,
  settle,
  simulate,
} from "../fixtures/simulated-engines.ts";

const silence = new Map<string, Ppm>([["quiet", ppm(0.75)]]);
const untaught: Knowledge = { silence, reliability: NOTHING_LEARNED };

function scored(engine: DistillEngine, artifacts: readonly SimulatedArtifact[], knowledge: Knowledge): Score {
  return scoreOf(
    artifacts.map(({ malicious, testimony }) => ({
      malicious,
      probability: ratioOf(engine.distill(testimony, knowledge).probability),
    })),
  )!;
}

/** Several bins as one. */
function together(bins: readonly Bin[]) {
  const count = bins.reduce((sum, bin) => sum + bin.count, 0);
  const mean = (of: "stated" | "right") => bins.reduce((sum, bin) => sum + bin.count * bin[of], 0) / count;
  return { count, stated: mean("stated"), right: mean("right") };
}

/** Nobody admits a doubt: all that can be learned is who is right how often, and who copies whom. */
const copycats: readonly SimulatedEngine[] = [
  { name: "a", sensitivity: 0.8, specificity: 0.8 },
  ...["b", "c", "d", "e"].map((name) => ({
    ...{ name, sensitivity: 0.8, specificity: 0.8 },
    copies: { of: "a", share: 0.9 },
  })),
  { name: "z", sensitivity: 0.8, specificity: 0.95 },
];
const related: readonly SimulatedEngine[] = ["a", "b", "c", "d", "e"].map((name, index) => ({
  ...{ name, sensitivity: 0.7 + index * 0.05, specificity: 0.9 - index * 0.05, late: 0.1 },
  ...(index === 0 ? {} : { copies: { of: "a", share: 0.4 } }),
}));
const cases = [
  ["a mixed market", MARKET, 0.35],
  ["a market with little malware", MARKET, 0.08],
  ["four that copy a fifth, and one that does not", copycats, 0.5],
  ["five that are related", related, 0.3],
] as const;

describe.each(cases)("after 2,000 settled artifacts in %s", (_, engines, baseRate) => {
  it.each([1, 2, 3])(
    "four of five verdicts at 0.8 are right, and no simpler engine knows as much: seed %i",
    (seed) => {
      const history = simulate(2_000, seed, engines, baseRate).map((artifact) => settle(artifact));
      const fresh = simulate(6_000, seed + 1_000, engines, baseRate);
      const taught = scored(bayes, fresh, { silence, reliability: learn(history, silence) });
      expect(taught.calibrationError).toBeLessThan(0.03);
      const { count, stated, right } = together(taught.bins.filter(({ from }) => from > 0.74 && from < 0.84));
      // Three standard errors, and the 0.03 that are allowed.
      expect(Math.abs(stated - right)).toBeLessThan(0.03 + 3 * Math.sqrt((stated * (1 - stated)) / count));
      for (const engine of [any, majority, average, bayes]) {
        expect(taught.logLoss).toBeLessThan(scored(engine, fresh, untaught).logLoss);
      }
    },
  );
});

it("hindsight foretells how good the next verdicts will be", () => {
  const history = simulate(2_000, 4).map((artifact) => settle(artifact));
  const fresh = simulate(6_000, 1_004);
  const foretold = scoreOf(hindsight(history, silence))!;
  const came = scored(bayes, fresh, { silence, reliability: learn(history, silence) });
  expect(Math.abs(foretold.logLoss - came.logLoss)).toBeLessThan(0.02);
});

describe("the last correction", () => {
  const outcomes = (count: number, truthOf: (z: number) => number) => {
    const random = randomFrom(9);
    return Array.from({ length: count }, () => {
      const z = (random() - 0.5) * 8;
      return { z, truth: random() < logistic(truthOf(z)) ? 1 : 0 } as const;
    });
  };

  it("finds by how much probabilities were overstated", () => {
    const { intercept, slope, fittedOn } = fitCalibration(outcomes(5_000, (z) => 0.4 + 0.5 * z));
    expect(intercept).toBeCloseTo(0.4, 0.7);
    expect(slope).toBeCloseTo(0.5, 1);
    expect(fittedOn).toBe(5_000);
  });

  it("corrects nothing on little history, or on one that knows one truth only", () => {
    expect(fitCalibration(outcomes(99, (z) => z))).toEqual(UNCALIBRATED);
    expect(fitCalibration(Array.from({ length: 500 }, () => ({ z: 1, truth: 1 as const })))).toEqual(
      UNCALIBRATED,
    );
  });

  it("never turns likelier into less likely, even where history did", () => {
    expect(fitCalibration(outcomes(5_000, (z) => -z)).slope).toBeGreaterThan(0);
  });

  it("stays finite where the truth can be told from the odds without fail", () => {
    const { intercept, slope } = fitCalibration(
      Array.from({ length: 1_000 }, (_, index) => ({ z: index % 2 ? 6 : -6, truth: (index % 2) as 0 | 1 })),
    );
    expect(Number.isFinite(intercept) && Number.isFinite(slope)).toBe(true);
  });
});

describe("scoring", () => {
  it("gives the textbook figures", () => {
    const score = scoreOf([
      { probability: 0.8, malicious: true },
      { probability: 0.8, malicious: true },
      { probability: 0.8, malicious: false },
      { probability: 0.4, malicious: false },
    ])!;
    expect(score.brier).toBeCloseTo((0.04 + 0.04 + 0.64 + 0.16) / 4);
    expect(score.logLoss).toBeCloseTo(-(2 * Math.log(0.8) + Math.log(0.2) + Math.log(0.6)) / 4);
    expect(score.calibrationError).toBeCloseTo((3 * Math.abs(0.8 - 2 / 3) + 0.4) / 4);
    expect(score.bins).toMatchObject([
      { from: 0.6, count: 1, stated: 0.6, right: 1 },
      { from: 0.8, count: 3 },
    ]);
  });

  it("has nothing to say of nothing", () => {
    expect(scoreOf([])).toBeUndefined();
  });
});
