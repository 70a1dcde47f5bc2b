/**
 * Types that the beginning of a content cannot show: their marks stand behind it or at its end. An artifact is fetched
 * further for them, and only where a rule asks for such a type and the beginning does not speak against it.
 */

import { JAR_TYPE, ZIP_KINDS, ZIP_TYPE } from "../archives/zip-kind.ts";
import { OLE_KINDS, OLE_TYPE } from "../offices/ole-directory.ts";
import { DISC_BYTES, ISO_TYPE, UDF_TYPE } from "./discs.ts";
import { DISK_IMAGE_TYPE, FOUND_AT_THE_END } from "./magic-numbers.ts";

/** Of a content whose end must be seen: of a larger one, the part that was seen decides. */
export const MOST_LOOK_BYTES = 16 * 1024 * 1024;

interface FarType {
  readonly types: readonly string[];
  /** Of the content, what shows them; ascending. */
  readonly bytes: number;
  /** Whether what the beginning shows leaves room for them. */
  readonly possible: (types: readonly string[]) => boolean;
}

/** How disk images begin: like the disk, or like the first of their packed blocks. */
const BEGINS_A_DISK = new Set([
  "application/octet-stream",
  "text/plain",
  "application/x-bzip2",
  "application/x-xz",
  "application/zlib",
  "application/x-lzma",
  ISO_TYPE,
  UDF_TYPE,
  DISK_IMAGE_TYPE,
]);

const FAR_TYPES: readonly FarType[] = [
  { types: [ISO_TYPE, UDF_TYPE], bytes: DISC_BYTES, possible: () => true },
  {
    types: FOUND_AT_THE_END,
    bytes: MOST_LOOK_BYTES,
    possible: (types) => types.every((type) => BEGINS_A_DISK.has(type)),
  },
  { types: ZIP_KINDS, bytes: MOST_LOOK_BYTES, possible: isOnly(ZIP_TYPE, JAR_TYPE) },
  { types: OLE_KINDS, bytes: MOST_LOOK_BYTES, possible: isOnly(OLE_TYPE) },
];

function isOnly(...wanted: readonly string[]): FarType["possible"] {
  return (types) => types.includes(wanted[0]!) && types.every((type) => wanted.includes(type));
}

/** Types that may still be found in what follows the first `seenBytes`, and in how much of the content each shows. */
export const typesFurtherOn = (
  types: readonly string[],
  seenBytes: number,
): readonly { readonly type: string; readonly bytes: number }[] =>
  FAR_TYPES.filter(({ bytes, possible }) => bytes > seenBytes && possible(types)).flatMap((far) =>
    far.types.filter((type) => !types.includes(type)).map((type) => ({ type, bytes: far.bytes })),
  );
