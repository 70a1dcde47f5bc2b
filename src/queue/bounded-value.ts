/** How much a value that came out of a queue may hold, looked at before any schema is: those look at all of it. */
interface ValueBounds {
  /** Values of every kind, keys included. */
  readonly values: number;
  /** Characters of all its texts and keys. */
  readonly chars: number;
}

/** Whether a value holds no more than that. Stops as soon as it does, whatever its depth. */
export function isWithinBounds(value: unknown, most: ValueBounds): boolean {
  let { values, chars } = most;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (--values < 0) return false;
    if (typeof next === "string") chars -= next.length;
    if (chars < 0) return false;
    if (typeof next !== "object" || next === null) continue;
    if (Array.isArray(next) && next.length > values) return false;
    for (const key in next) {
      if (open.length > values) return false;
      if (!Array.isArray(next)) chars -= key.length;
      open.push((next as Readonly<Record<string, unknown>>)[key]);
    }
  }
  return true;
}
