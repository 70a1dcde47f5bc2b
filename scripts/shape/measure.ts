/** One thing that is measured of a source tree. */
export interface Measure {
  readonly name: string;
  readonly figures: string;
  /** What it should be; undefined where it is only told. */
  readonly goal: string | undefined;
  /** What keeps it from its goal, one line each. */
  readonly offenders: readonly string[];
}

/** Median, 90th percentile and maximum, as they are told. */
export function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return `median ${at(0.5)}, p90 ${at(0.9)}, max ${at(1)}`;
}

/** A measure of which there should be none. */
export const none = (name: string, offenders: readonly string[]): Measure => ({
  name,
  offenders,
  goal: "none",
  figures: String(offenders.length),
});
