/**
 * What an office document in a ZIP says of its main part: a workbook in binary records, a template, an add-in are told by
 * nothing else. Source: ECMA-376 part 2, 10.1.2 (the content types stream).
 */
import { constants, inflateRawSync } from "node:zlib";

const NAME = "[Content_Types].xml";
const LOCAL_BYTES = 30;
const MOST_PACKED_BYTES = 64 * 1024;
const MOST_BYTES = 256 * 1024;
const DEFLATED = 8;
const MAIN = /ContentType\s{0,8}=\s{0,8}["'](application\/[\w.+-]{1,120}?)\.main(?:\+xml)?["']/gi;

/**
 * MIME types of the main parts, by the local header of the content types at an offset, lower case; none where it cannot be
 * read. Never throws.
 */
export function mainTypes(content: Buffer, offset: number): readonly string[] {
  const text = readMember(content, offset);
  if (text === undefined) return [];
  return [...new Set([...text.matchAll(MAIN)].map(([, type]) => documentType(type!)))];
}

/** `...macroEnabledTemplate` of a part is `...macroEnabled.12` of the document. */
function documentType(ofPart: string): string {
  const type = ofPart.toLowerCase();
  return type.includes("macroenabled")
    ? `${type.replace(/macroenabled(?:template)?$/, "macroenabled")}.12`
    : type;
}

/** Offset of the local header of the content types in the beginning of a ZIP; -1 for none. */
export function findContentTypes(beginning: Buffer): number {
  const at = beginning.indexOf(NAME, 0, "latin1");
  return at < LOCAL_BYTES ? -1 : at - LOCAL_BYTES;
}

export const isContentTypes = ({ name }: { readonly name: string }): boolean => name === NAME;

/** Where the length stands behind the content, what follows is forgiven: inflating ends where the content does. */
function readMember(content: Buffer, offset: number): string | undefined {
  if (offset < 0 || offset + LOCAL_BYTES > content.length) return undefined;
  const start = offset + LOCAL_BYTES + content.readUInt16LE(offset + 26) + content.readUInt16LE(offset + 28);
  const packed = content.subarray(start, start + MOST_PACKED_BYTES);
  if (content.readUInt16LE(offset + 8) !== DEFLATED)
    return packed.toString("latin1", 0, content.readUInt32LE(offset + 18));
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MOST_BYTES };
    return inflateRawSync(packed, options).toString("latin1");
  } catch {
    return undefined;
  }
}
