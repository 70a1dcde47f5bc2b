/** Blocks `from` to `to`, both included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Something went up or down while this block was the newest. */
export interface Change {
  readonly name: string;
  readonly isUp: boolean;
  readonly block: number;
}

/**
 * The spans of blocks in which all of `names` were up, from their changes in order. Whatever was never told to be up is
 * down. `end` closes the last span.
 */
export function allUp(names: readonly string[], changes: readonly Change[], end: number): readonly Span[] {
  const up = new Set<string>();
  const spans: Span[] = [];
  let since: number | undefined;
  for (const { name, isUp, block } of [...changes, { name: names[0]!, isUp: false, block: end }]) {
    if (isUp) up.add(name);
    else up.delete(name);
    const complete = names.every((each) => up.has(each));
    if (complete) since ??= block;
    else if (since !== undefined) {
      spans.push({ from: since, to: block });
      since = undefined;
    }
  }
  return spans;
}
