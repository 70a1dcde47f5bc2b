import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bayes } from "../../src/distill/bayes.ts";
import type { DistillEngine, Knowledge } from "../../src/distill/contract.ts";
import { fitCalibration, logistic, UNCALIBRATED } from "../../src/distill/experience/calibration.ts";
import { hindsight, learn } from "../../src/distill/experience/learn.ts";
import { NOTHING_LEARNED } from "../../src/distill/experience/reliability.ts";
import { type Bin, type Score, scoreOf } from "../../src/distill/experience/scoring.ts";
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
    name,
    sensitivity: 0.8,
    specificity: 0.8,
    copies: { of: "a", share: 0.9 },
  })),
  { name: "z", sensitivity: 0.8, specificity: 0.95 },
];
const related: readonly SimulatedEngine[] = ["a", "b", "c", "d", "e"].map((name, index) => ({
  name,
  sensitivity: 0.7 + index * 0.05,
  specificity: 0.9 - index * 0.05,
  late: 0.1,
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
      const taught = scored(bayes, fresh, { silence, reliability: learn(history, () => silence) });
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

/** Up to six engines, some late, some silent instead of benign, some copying, none of them knowing its own doubts. */
function anyEngines(random: () => number): readonly SimulatedEngine[] {
  const chance = (likely: number) => random() < likely;
  return Array.from({ length: 1 + Math.floor(random() * 6) }, (_, index) => ({
    name: `e${index}`,
    sensitivity: 0.55 + 0.4 * random(),
    specificity: 0.55 + 0.43 * random(),
    silent: chance(0.2),
    ...(chance(0.3) && { late: 0.2 * random() }),
    ...(chance(0.3) && { weakOnDocuments: 0.15 * random() }),
    ...(index > 0 && chance(0.3) && { copies: { of: "e0", share: 0.6 * random() } }),
  }));
}

/** The verdicts on a market never seen before, after 2,000 settled artifacts, given with a confidence in this range. */
function verdictsGiven(seed: number, from: number, to: number) {
  const random = randomFrom(seed);
  const engines = anyEngines(random);
  const baseRate = 0.08 + 0.6 * random();
  const worths = new Map(engines.map(({ name }) => [name, ppm(0.75)]));
  const history = simulate(2_000, seed + 1, engines, baseRate).map((artifact) => settle(artifact));
  const knowledge = { silence: worths, reliability: learn(history, () => worths) };
  return simulate(2_000, seed + 2, engines, baseRate)
    .map(({ malicious, testimony }) => ({ malicious, ...bayes.distill(testimony, knowledge) }))
    .filter(({ verdict }) => verdict === "malicious" || verdict === "benign")
    .filter(({ confidence }) => confidence >= from * 1e6 && confidence <= to * 1e6)
    .map(({ malicious, verdict, confidence }) => ({
      stated: ratioOf(confidence),
      right: (verdict === "malicious") === malicious,
    }));
}

it("of the verdicts given with a confidence of 0.75 to 0.85 four in five are right, whatever the engines are worth", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 31 }), { minLength: 8, maxLength: 8 }), (seeds) => {
      const given = seeds.flatMap((seed) => verdictsGiven(seed, 0.75, 0.85));
      const right = given.filter((one) => one.right).length / given.length;
      const stated = given.reduce((sum, one) => sum + one.stated, 0) / given.length;
      // Three and a half standard errors, and what 2,000 artifacts cannot teach.
      const leeway = 0.03 + 3.5 * Math.sqrt((stated * (1 - stated)) / given.length);
      expect(Math.abs(right - stated)).toBeLessThan(leeway);
      expect(Math.abs(right - 0.8)).toBeLessThan(0.03 + leeway);
    }),
    { numRuns: 5 },
  );
});

it("hindsight foretells how good the next verdicts will be", () => {
  const history = simulate(2_000, 4).map((artifact) => settle(artifact));
  const fresh = simulate(6_000, 1_004);
  const foretold = scoreOf(hindsight(history, () => silence))!;
  const came = scored(bayes, fresh, { silence, reliability: learn(history, () => silence) });
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

  it("finds the best correction also where nearly everything is told with near certainty", () => {
    // A whole step of Newton's method leads from here to an intercept of thousands, and everything is malicious.
    const random = randomFrom(94);
    const sides = Array.from({ length: 2_000 }, () => {
      const truth = random() < 0.47 ? 1 : 0;
      const z = (truth === 1 ? 1 : -1) * (random() < 0.04 ? -8 - 4 * random() : 6 + 6 * random());
      return { z, truth } as const;
    });
    const { intercept, slope } = fitCalibration(sides);
    expect(Math.abs(intercept)).toBeLessThan(1);
    expect(slope).toBeLessThan(1);
    const corrected = sides.map(({ z, truth }) => {
      return { probability: logistic(intercept + slope * z), malicious: truth === 1 };
    });
    expect(scoreOf(corrected)!.calibrationError).toBeLessThan(0.05);
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
