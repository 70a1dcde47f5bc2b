/**
 * The text that bytes are, in the encodings that Windows and its script hosts read: UTF-8 with and without a byte order
 * mark, UTF-16 of both orders with and without one, UTF-32 with one, and the code pages of eight bits.
 */

import type { Extent } from "./extent.ts";

const BYTE_ORDER_MARKS = [
  // UTF-32 first: its mark begins like that of UTF-16.
  { label: "utf-32le", bom: [0xff, 0xfe, 0, 0], unit: 4 },
  { label: "utf-32be", bom: [0, 0, 0xfe, 0xff], unit: 4 },
  { label: "utf-16le", bom: [0xff, 0xfe], unit: 2 },
  { label: "utf-16be", bom: [0xfe, 0xff], unit: 2 },
] as const;
type Encoding = (typeof BYTE_ORDER_MARKS)[number]["label"] | "utf-8";

/** Control characters that do not occur in text. Bell, backspace, tab to carriage return, ^Z and escape do. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
const NOT_IN_TEXT = /[\u0000-\u0006\u000e-\u0019\u001c-\u001f\u007f\ufffe\uffff]/;

/**
 * The text that the bytes are in Unicode, without a byte order mark, or `undefined` when they are none.
 * A character that is cut at the end of a beginning is forgiven.
 */
export function readUnicodeText(bytes: Uint8Array, extent: Extent): string | undefined {
  const { label, unit } = encodingOf(bytes);
  // Readers forgive half a character at the end, also of the whole.
  const complete = bytes.subarray(0, bytes.length - (bytes.length % unit));
  try {
    const text = decode(complete, label, extent);
    return NOT_IN_TEXT.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The text that the bytes are in a code page of eight bits, as Latin-1; `undefined` for what no text can hold. */
export function readEightBitText(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return NOT_IN_TEXT.test(text) ? undefined : text;
}

/** How much of a content decides whether it is a text. */
const EVIDENT_BYTES = 16 * 1024;
/** Fewer are a magic number and nothing else. */
export const LEAST_EVIDENT_BYTES = 8;

/** Whether the content is text, whatever short magic number its first letters happen to be. */
export function isEvidentText(content: Uint8Array): boolean {
  if (content.length < LEAST_EVIDENT_BYTES) return false;
  const head = content.subarray(0, EVIDENT_BYTES);
  if (readUnicodeText(head, head.length < content.length ? "beginning" : "whole") !== undefined) return true;
  return isMostlyAscii(head) && readEightBitText(head) !== undefined;
}

/** Whether most of the bytes are characters of ASCII, as in text of whatever code page. */
export function isMostlyAscii(bytes: Uint8Array): boolean {
  let ascii = 0;
  for (const byte of bytes) if (byte < 0x80) ascii++;
  return ascii * 2 > bytes.length;
}

function encodingOf(bytes: Uint8Array): { readonly label: Encoding; readonly unit: number } {
  const marked = BYTE_ORDER_MARKS.find(({ bom }) => bom.every((byte, at) => bytes[at] === byte));
  if (marked !== undefined) return marked;
  if (isUnmarkedUtf16(bytes, 0)) return { label: "utf-16le", unit: 2 };
  if (isUnmarkedUtf16(bytes, 1)) return { label: "utf-16be", unit: 2 };
  return { label: "utf-8", unit: 1 };
}

/** In pairs of bytes, fewer than these say nothing. */
const LEAST_UNITS = 4;
/** Of the first so many bytes; what stands behind has the same encoding. */
const PROBED_BYTES = 4096;

/**
 * UTF-16 without a mark: most of its characters are of ASCII, with a zero as their other byte. `low` is where in each pair
 * the character's own byte stands.
 */
function isUnmarkedUtf16(bytes: Uint8Array, low: 0 | 1): boolean {
  const units = Math.floor(Math.min(bytes.length, PROBED_BYTES) / 2);
  if (units < LEAST_UNITS || bytes[low] === 0 || bytes[1 - low] !== 0) return false;
  let ascii = 0;
  for (let unit = 0; unit < units; unit++) {
    const byte = bytes[2 * unit + low]!;
    if (bytes[2 * unit + 1 - low] === 0 && (byte >= 0x20 || (byte >= 9 && byte <= 13)) && byte < 0x7f)
      ascii++;
  }
  return ascii * 2 > units;
}

/** Throws TypeError or RangeError for what is no such text. */
function decode(bytes: Uint8Array, label: Encoding, extent: Extent): string {
  if (label === "utf-32le" || label === "utf-32be") return decodeUtf32(bytes, label);
  // Streaming keeps an unfinished last character back instead of failing on it.
  return new TextDecoder(label, { fatal: true }).decode(bytes, { stream: extent === "beginning" });
}

function decodeUtf32(bytes: Uint8Array, label: "utf-32le" | "utf-32be"): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.length % 4 !== 0) throw new TypeError("half a character");
  let text = "";
  for (let at = 4; at < view.length; at += 4)
    text += String.fromCodePoint(label === "utf-32le" ? view.readUInt32LE(at) : view.readUInt32BE(at));
  return text;
}
