import type { Branded } from "./brand.ts";

export const VERDICTS = ["malicious", "benign", "suspicious", "unknown"] as const;
/** What we think inside. Each market maps the four to what it can express. */
export type Verdict = (typeof VERDICTS)[number];

/** Parts per million, 0 to 1_000_000: a probability or confidence that integer arithmetic can carry exactly. */
export type Ppm = Branded<number, "Ppm">;

export const PPM_ONE = 1_000_000;

/** Rounds a ratio to parts per million and clamps it to 0..1; NaN is no confidence at all. */
export function ppm(ratio: number): Ppm {
  if (Number.isNaN(ratio)) return 0 as Ppm;
  return Math.round(Math.min(1, Math.max(0, ratio)) * PPM_ONE) as Ppm;
}

/** How far a chance of being right is above even odds: 0 there and below, 1_000_000 at certainty. */
export const edgeOf = (chance: Ppm): Ppm => Math.max(0, 2 * chance - PPM_ONE) as Ppm;

export const ratioOf = (value: Ppm): number => value / PPM_ONE;
