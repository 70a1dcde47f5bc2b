/**
 * Values of JSON as Python writes them: filters are compared with `str(value)`, as operators wrote them for years.
 * JSON's `5.0` cannot be told from `5` once it was read, and is written `5`.
 */

/** Lists and objects deeper than this are written as `...`. */
const DEEPEST = 32;

/** `str(value)`: a text as it is, `True`, `5`, `0.25`, `['a', None]`. */
export const pythonText = (value: unknown): string => (typeof value === "string" ? value : repr(value, 0));

function repr(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "boolean":
      return value ? "True" : "False";
    case "bigint":
      return value.toString();
    case "number":
      return pythonNumber(value);
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "None";
  if (depth >= DEEPEST) return "...";
  if (Array.isArray(value)) return `[${value.map((item) => repr(item, depth + 1)).join(", ")}]`;
  const entries = Object.entries(value).map(([key, item]) => `${quoted(key)}: ${repr(item, depth + 1)}`);
  return `{${entries.join(", ")}}`;
}

/** Python writes an exponent from 1e16 and below 1e-4, JavaScript from 1e21 and below 1e-6; the digits are the same. */
function pythonNumber(value: number): string {
  if (Number.isSafeInteger(value)) return value.toString();
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(value) ? `${value}.0` : value.toString();
  const [digits, sign, exponent = ""] = value.toExponential().split(/e([+-])/);
  return `${digits}e${sign}${exponent.padStart(2, "0")}`;
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

/** A text within a list or object; in double quotes only when that saves an escape, as Python does it. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = text.replaceAll(/[\\'\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (char) => {
    if (char === "'") return quote === "'" ? "\\'" : "'";
    return ESCAPES[char] ?? escapedCode(char.codePointAt(0)!);
  });
  return `${quote}${inside}${quote}`;
}

function escapedCode(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** `float(value)`: what a number, a boolean or the text of a number is worth; `undefined` for anything else. */
export function pythonFloat(value: unknown): number | undefined {
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return Number(value);
  if (typeof value !== "string") return undefined;
  const text = value.trim().toLowerCase();
  const named = /^([+-]?)(inf|infinity|nan)$/.exec(text);
  if (named !== null) {
    const size = named[2] === "nan" ? Number.NaN : Number.POSITIVE_INFINITY;
    return named[1] === "-" ? -size : size;
  }
  const digits = String.raw`\d+(?:_\d+)*`;
  const number = new RegExp(`^[+-]?(?:${digits}\\.?|(?:${digits})?\\.${digits})(?:e[+-]?${digits})?$`);
  // Honest numbers are shorter, and the expression above need not be tried on what strangers write instead.
  return text.length <= 400 && number.test(text) ? Number(text.replaceAll("_", "")) : undefined;
}
