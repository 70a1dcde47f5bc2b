/** `Math.max` and `Math.min` of a list of any length: as arguments, a hundred thousand numbers overflow the stack. */

/** Minus infinity when there is none. */
export function highest(values: Iterable<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) most = Math.max(most, value);
  return most;
}

/** Infinity when there is none. */
export function lowest(values: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const value of values) least = Math.min(least, value);
  return least;
}
