/** Modifiers: by how much an operator trusts our opinion more, or less, because of what a bounty's metadata says. */
import type { ArtifactClaim } from "../../domain/artifact.ts";
import { edgeOf, PPM_ONE, type Ppm } from "../../domain/verdict.ts";
import type { Condition } from "./filter.ts";

export interface Modifier {
  readonly effect: "favor" | "penalize";
  readonly condition: Condition;
}

/** In tenths: what is left of a confidence's edge over even odds, or is made of it. */
const FAVOURED = 12;
const PENALIZED = 8;

/**
 * The confidence to bid on: its edge over even odds grows by a fifth where a `favor` matches, shrinks by a fifth where a
 * `penalize` does, and stays where both or none do. So stakes change as they do with today's engines, whose confidence
 * begins at even odds, and what comes out is still a chance of being right: never above certainty, never below one half.
 */
export function modifyConfidence(confidence: Ppm, modifiers: readonly Modifier[], claim: ArtifactClaim): Ppm {
  const matches = (wanted: Modifier["effect"]): boolean =>
    modifiers.some(({ effect, condition }) => effect === wanted && condition.matches(claim));
  const favoured = matches("favor");
  if (favoured === matches("penalize")) return confidence;
  const tenths = favoured ? FAVOURED : PENALIZED;
  const edge = Math.min(PPM_ONE, (edgeOf(confidence) * tenths) / 10);
  return Math.round((PPM_ONE + edge) / 2) as Ppm;
}
