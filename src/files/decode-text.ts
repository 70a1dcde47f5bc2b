/** Bytes of a text file as text, whatever wrote them. */

const MARKS = [
  { encoding: "utf-8", mark: [0xef, 0xbb, 0xbf] },
  { encoding: "utf-16le", mark: [0xff, 0xfe] },
  { encoding: "utf-16be", mark: [0xfe, 0xff] },
] as const;

type Encoding = (typeof MARKS)[number]["encoding"];

/**
 * The text: UTF-8 or UTF-16 with a byte order mark or without one. `undefined` for bytes that are neither, or hold a NUL
 * character, which no text does. A mark is not part of the text.
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  const marked = MARKS.find(({ mark }) => mark.every((byte, at) => bytes[at] === byte));
  try {
    // Without `ignoreBOM`, the decoder drops one mark.
    const text = new TextDecoder(marked?.encoding ?? unmarked(bytes), { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** UTF-16 without a mark shows by the zero half of its ASCII letters; UTF-8 text has no zero bytes at all. */
function unmarked(bytes: Uint8Array): Encoding {
  if (!bytes.includes(0)) return "utf-8";
  const odd = bytes.reduce((zeros, byte, at) => zeros + (byte === 0 && at % 2 === 1 ? 1 : 0), 0);
  const even = bytes.reduce((zeros, byte, at) => zeros + (byte === 0 && at % 2 === 0 ? 1 : 0), 0);
  return odd > even ? "utf-16le" : "utf-16be";
}
