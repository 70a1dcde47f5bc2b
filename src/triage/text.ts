const DECODERS = [
  { label: "utf-16le", bom: [0xff, 0xfe], unit: 2 },
  { label: "utf-16be", bom: [0xfe, 0xff], unit: 2 },
] as const;

/** Control characters that do not occur in text. Bell, backspace, tab to carriage return, ^Z and escape do. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
const NOT_IN_TEXT = /[\u0000-\u0006\u000e-\u0019\u001c-\u001f\u007f\ufffe\uffff]/;

/**
 * The text that the bytes are (UTF-8, or UTF-16 with a byte order mark), or `undefined` when they are none.
 * `whole` false: the bytes are the beginning of something longer, and a character cut at the end is forgiven.
 */
export function readText(bytes: Uint8Array, whole: boolean): string | undefined {
  const { label, unit } = DECODERS.find(({ bom }) => bom.every((byte, at) => bytes[at] === byte)) ?? {
    label: "utf-8",
    unit: 1,
  };
  const complete = whole ? bytes : bytes.subarray(0, bytes.length - (bytes.length % unit));
  try {
    // Streaming keeps an unfinished last character back instead of failing on it.
    const text = new TextDecoder(label, { fatal: true }).decode(complete, { stream: !whole });
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
