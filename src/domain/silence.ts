import { canonicalType, matchesType } from "./media-type.ts";
import type { Ppm } from "./verdict.ts";

/** What an operator makes of a backend that finds nothing (`--benign`). */
export interface SilenceRule {
  readonly backend: string;
  /** Of which artifacts: a MIME type, `text/*`, or `*` for all. */
  readonly type: string;
  /** The chance that such an artifact is benign. */
  readonly worth: Ppm;
}

/** Backends whose silence about an artifact of these types, the most specific first, means benign, and how often. */
export type Silence = (types: readonly string[]) => ReadonlyMap<string, Ppm>;

/**
 * Of several rules on a backend the narrowest counts: a type before `text/*` before `*`. Of two that are as narrow, the
 * one that names the more specific of the artifact's types; of two that name the same, the last.
 */
export const silenceBy =
  (rules: readonly SilenceRule[]): Silence =>
  (types) =>
    new Map(
      rules
        .map((rule) => ({ ...rule, breadth: breadthOf(rule.type), at: positionOf(rule.type, types) }))
        .filter(({ at }) => at !== -1)
        .toSorted((a, b) => b.breadth - a.breadth || b.at - a.at)
        .map(({ backend, worth }) => [backend, worth]),
    );

function breadthOf(pattern: string): 0 | 1 | 2 {
  if (matchesType(pattern, "")) return 2;
  return canonicalType(pattern).endsWith("/*") ? 1 : 0;
}

/** Where among the types the first is that fits; `*` fits also where no type could be told. */
const positionOf = (pattern: string, types: readonly string[]): number =>
  matchesType(pattern, "") ? 0 : types.findIndex((type) => matchesType(pattern, type));
