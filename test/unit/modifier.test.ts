import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUILT_IN_STRATEGIES } from "../../src/bid/strategies.ts";
import { NO_CLAIM } from "../../src/domain/artifact.ts";
import { PPM_ONE, type Ppm, ppm, ratioOf } from "../../src/domain/verdict.ts";
import { type Modifier, modifyConfidence } from "../../src/triage/filters/modifier.ts";
import { bidArtifact, bidRequest } from "./bid-request.ts";

const modifier = (effect: Modifier["effect"], matches: boolean): Modifier => ({
  effect,
  condition: { text: "", matches: () => matches },
});
const [favor, penalize] = [modifier("favor", true), modifier("penalize", true)];
const [noFavor, noPenalty] = [modifier("favor", false), modifier("penalize", false)];

describe("a modified confidence", () => {
  it.each([
    ["favoured", [favor], 0.75, 0.8],
    ["favoured twice", [favor, favor], 0.75, 0.8],
    ["favoured and not penalized", [noPenalty, favor], 0.75, 0.8],
    ["penalized", [penalize], 0.75, 0.7],
    ["penalized twice", [penalize, noFavor, penalize], 0.75, 0.7],
    ["both", [favor, penalize], 0.75, 0.75],
    ["neither", [noFavor, noPenalty], 0.75, 0.75],
    ["untouched", [], 0.75, 0.75],
    ["favoured at certainty", [favor], 1, 1],
    ["favoured near certainty", [favor], 0.95, 1],
    ["favoured at even odds", [favor], 0.5, 0.5],
    ["penalized at even odds", [penalize], 0.5, 0.5],
    ["penalized at certainty", [penalize], 1, 0.9],
  ])("is %s", (_, modifiers, before, after) => {
    expect(ratioOf(modifyConfidence(ppm(before), modifiers, NO_CLAIM))).toBe(after);
  });

  it("stays between even odds and certainty, is whole, and never moves the wrong way", () => {
    const some = fc.array(fc.constantFrom(favor, penalize, noFavor, noPenalty));
    fc.assert(
      fc.property(fc.integer({ min: PPM_ONE / 2, max: PPM_ONE }), some, (confidence, modifiers) => {
        const modified = modifyConfidence(confidence as Ppm, modifiers, NO_CLAIM);
        expect(Number.isInteger(modified) && modified >= PPM_ONE / 2 && modified <= PPM_ONE).toBe(true);
        const [favoured, penalized] = [modifiers.includes(favor), modifiers.includes(penalize)];
        if (favoured === penalized) expect(modified).toBe(confidence);
        else if (favoured) expect(modified).toBeGreaterThanOrEqual(confidence);
        else expect(modified).toBeLessThanOrEqual(confidence);
      }),
    );
  });

  it("changes what is staked above the minimum by the fifth by which today's engines change it", () => {
    const [standard] = BUILT_IN_STRATEGIES;
    const staked = (confidence: Ppm) => {
      const { bidMinimum } = bidRequest();
      const [stake] = standard!.bid(bidRequest({ artifacts: [bidArtifact({ confidence })] }));
      return Number(stake! - bidMinimum);
    };
    // Up to where the maximum cuts it.
    fc.assert(
      fc.property(
        fc.integer({ min: 500_001, max: 916_666 }),
        fc.constantFrom(favor, penalize),
        (sure, one) => {
          const confidence = sure as Ppm;
          const ratio = staked(modifyConfidence(confidence, [one], NO_CLAIM)) / staked(confidence);
          const wanted = one === favor ? 1.2 : 0.8;
          // Confidences are whole millionths.
          expect(Math.abs(ratio - wanted)).toBeLessThanOrEqual(0.51 / (sure - 500_000));
        },
      ),
    );
  });
});
