/**
 * JSON without loss. The marketplace writes integers far above 2^53 as bare numbers; `JSON.parse` alone would round
 * a payout of 5424999999999999997 to 5425000000000000000.
 *
 * Node's own reviver costs 0.6 s of CPU for each MB of small numbers, and strangers write what is read here. So the text is
 * looked through first (json-shape.ts): without an integer that a double would round, `JSON.parse` is exact; with one,
 * it says whether the text is JSON, and what it holds is read again by hand.
 */
import {
  endOfNumber,
  endOfString,
  holdsBigInteger,
  isUnsafeInteger,
  type JsonBounds,
  UNSAFE_DIGITS,
} from "./json-shape.ts";

export { type JsonBounds, JsonBoundsError } from "./json-shape.ts";

/** More than anything of ours has; for texts that strangers write, callers say less. */
const BOUNDS: JsonBounds = { depth: 256, values: 2_000_000 };

/**
 * Integers beyond the safe range come out as bigint, everything else as `JSON.parse` gives it. Throws SyntaxError; for
 * what is deeper or more than the bounds allow, JsonBoundsError.
 */
export function parseJson(text: string, bounds: JsonBounds = BOUNDS): unknown {
  const rounded = holdsBigInteger(text, bounds);
  const value: unknown = JSON.parse(text);
  return rounded ? new ExactReader(text).read() : value;
}

/** Reads a text that `JSON.parse` has taken, so that nothing here can be amiss. */
class ExactReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): unknown {
    switch (this.#next()) {
      case "{":
        return this.#object();
      case "[":
        return this.#list();
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at++;
    while (this.#next() !== "}") {
      if (this.#next() === ",") this.#at++;
      this.#next();
      const key = this.#string();
      this.#next();
      this.#at++;
      const value = this.read();
      if (key === "__proto__") {
        // A key like any other in JSON.
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      } else {
        object[key] = value;
      }
    }
    this.#at++;
    return object;
  }

  #list(): unknown[] {
    const list: unknown[] = [];
    this.#at++;
    while (this.#next() !== "]") {
      if (this.#next() === ",") this.#at++;
      list.push(this.read());
    }
    this.#at++;
    return list;
  }

  #string(): string {
    const start = this.#at;
    const end = endOfString(this.#text, start);
    this.#at = end + 1;
    const inside = this.#text.slice(start + 1, end);
    return inside.includes("\\") ? (JSON.parse(`"${inside}"`) as string) : inside;
  }

  #number(): number | bigint {
    const start = this.#at;
    this.#at = endOfNumber(this.#text, start);
    const number = this.#text.slice(start, this.#at);
    return this.#at - start >= UNSAFE_DIGITS && isUnsafeInteger(number) ? BigInt(number) : Number(number);
  }

  #word<T>(word: string, value: T): T {
    this.#at += word.length;
    return value;
  }

  /** The character that comes next, behind white space. */
  #next(): string {
    while (this.#text.charCodeAt(this.#at) <= 0x20) this.#at++;
    return this.#text.charAt(this.#at);
  }
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
