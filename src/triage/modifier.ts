/** Modifiers: by how much an operator trusts our opinion more, or less, because of what a bounty's metadata says. */
import type { ArtifactClaim } from "../domain/artifact.ts";
import { PPM_ONE, type Ppm } from "../domain/verdict.ts";
import type { Condition } from "./filter.ts";

export interface Modifier {
  readonly effect: "favor" | "penalize";
  readonly condition: Condition;
}

/** In tenths: what is left of a confidence, or is made of it. */
const FAVOURED = 12;
const PENALIZED = 8;

/**
 * The confidence to bid on: a fifth more where a `favor` matches, a fifth less where a `penalize` does, unchanged where
 * both or none do. Rounded to the nearest millionth, never above certainty.
 */
export function modifyConfidence(confidence: Ppm, modifiers: readonly Modifier[], claim: ArtifactClaim): Ppm {
  const matches = (wanted: Modifier["effect"]): boolean =>
    modifiers.some(({ effect, condition }) => effect === wanted && condition.matches(claim));
  const favoured = matches("favor");
  if (favoured === matches("penalize")) return confidence;
  const tenths = favoured ? FAVOURED : PENALIZED;
  return Math.min(PPM_ONE, Math.round((confidence * tenths) / 10)) as Ppm;
}
