/**
 * JSON without loss. The marketplace writes integers far above 2^53 as bare numbers; `JSON.parse` alone would round
 * a payout of 5424999999999999997 to 5425000000000000000.
 */

/** Integers beyond the safe range come out as bigint, everything else as `JSON.parse` gives it. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  const reviver = (_key: string, value: unknown, context: { source?: string }): unknown => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = context.source ?? "";
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, reviver as (this: unknown, key: string, value: unknown) => unknown);
}

/** Writes bigint as a bare JSON integer, as the marketplace does. */
export function stringifyJson(value: unknown, space?: number): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === "bigint" ? jsonNumber(item.toString()) : item),
    space,
  );
}

/**
 * A number for `JSON.stringify` that is written digit for digit as the text says, however many digits that are.
 * Throws SyntaxError when the text is no JSON number.
 */
export function jsonNumber(text: string): unknown {
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) throw new SyntaxError(`"${text}" is not a number`);
  return rawJson(text);
}

// ES2026 in Node 24; TypeScript's library does not know it yet.
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON.bind(JSON);
