import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_CLAIM } from "../../src/domain/artifact.ts";
import { PPM_ONE, type Ppm, ppm, ratioOf } from "../../src/domain/verdict.ts";
import { type Modifier, modifyConfidence } from "../../src/triage/modifier.ts";

const modifier = (effect: Modifier["effect"], matches: boolean): Modifier => ({
  effect,
  condition: { text: "", matches: () => matches },
});
const [favor, penalize] = [modifier("favor", true), modifier("penalize", true)];
const [noFavor, noPenalty] = [modifier("favor", false), modifier("penalize", false)];

describe("a modified confidence", () => {
  it.each([
    ["favoured", [favor], 0.5, 0.6],
    ["favoured twice", [favor, favor], 0.5, 0.6],
    ["favoured and not penalized", [noPenalty, favor], 0.5, 0.6],
    ["penalized", [penalize], 0.5, 0.4],
    ["penalized twice", [penalize, noFavor, penalize], 0.5, 0.4],
    ["both", [favor, penalize], 0.5, 0.5],
    ["neither", [noFavor, noPenalty], 0.5, 0.5],
    ["untouched", [], 0.5, 0.5],
    ["favoured at certainty", [favor], 1, 1],
    ["favoured near certainty", [favor], 0.9, 1],
    ["favoured at nothing", [favor], 0, 0],
    ["penalized at certainty", [penalize], 1, 0.8],
  ])("is %s", (_, modifiers, before, after) => {
    expect(ratioOf(modifyConfidence(ppm(before), modifiers, NO_CLAIM))).toBe(after);
  });

  it("never leaves 0..1, is whole, and never moves the wrong way", () => {
    const some = fc.array(fc.constantFrom(favor, penalize, noFavor, noPenalty));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: PPM_ONE }), some, (confidence, modifiers) => {
        const modified = modifyConfidence(confidence as Ppm, modifiers, NO_CLAIM);
        expect(Number.isInteger(modified) && modified >= 0 && modified <= PPM_ONE).toBe(true);
        const [favoured, penalized] = [modifiers.includes(favor), modifiers.includes(penalize)];
        if (favoured === penalized) expect(modified).toBe(confidence);
        else if (favoured) expect(modified).toBeGreaterThanOrEqual(confidence);
        else expect(modified).toBeLessThanOrEqual(confidence);
      }),
    );
  });
});
