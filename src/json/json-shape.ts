/**
 * What a JSON text holds, without building any of it: one pass over its characters, about 5 ms for each MB, whatever it
 * says. It is asked before a text is parsed, so that no text costs more than its reader expected.
 */

/** How much a JSON text may hold. */
export interface JsonBounds {
  /** Lists and objects within each other; `[[]]` has 2. */
  readonly depth: number;
  /** Values of every kind, lists and objects included, to within one for each that is empty. */
  readonly values: number;
}

/** The text may be JSON, and holds more than its reader takes. */
export class JsonBoundsError extends SyntaxError {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** 2^53 has 16 digits: what is shorter is exact. */
export const UNSAFE_DIGITS = 16;

/**
 * Whether the text writes an integer beyond the safe range. Throws JsonBoundsError beyond the bounds. Says nothing about
 * whether the text is JSON.
 */
export function holdsBigInteger(text: string, bounds: JsonBounds): boolean {
  let depth = 0;
  let values = 1;
  let found = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === COMMA) {
      if (++values > bounds.values) throw new JsonBoundsError(`JSON of more than ${bounds.values} values`);
    } else if (isDigit(code) || code === MINUS) {
      const end = endOfNumber(text, at);
      found ||= end - at >= UNSAFE_DIGITS && isUnsafeInteger(text.slice(at, end));
      at = end - 1;
    } else if (code === 0x5b || code === 0x7b) {
      depth++;
      values++;
      if (depth > bounds.depth) throw new JsonBoundsError(`JSON nested deeper than ${bounds.depth}`);
      if (values > bounds.values) throw new JsonBoundsError(`JSON of more than ${bounds.values} values`);
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    }
  }
  return found;
}

/** Where the string that begins at `start` has its closing quote; the end of the text when it has none. */
export function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let before = quote;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    // An even number of them are backslashes that are meant.
    if ((quote - before) % 2 === 0) return quote;
  }
  return text.length;
}

/** The first character behind the number that begins at `start`. */
export function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && isOfNumber(text.charCodeAt(end))) end++;
  return end;
}

/** Whether the text of a number is an integer, written out, that a double would round. */
export const isUnsafeInteger = (number: string): boolean =>
  !Number.isSafeInteger(Number(number)) && /^-?\d+$/.test(number);

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

/** Digits, point, exponent and its sign. */
const isOfNumber = (code: number): boolean =>
  isDigit(code) || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === MINUS;
