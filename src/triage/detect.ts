import { fileTypeFromBuffer } from "file-type";
import type { ArtifactKind } from "../domain/artifact.ts";
import { canonicalType } from "../domain/media-type.ts";
import { scriptType } from "./script.ts";
import { readText } from "./text.ts";

/**
 * How much of an artifact decides its type. Magic numbers need 4 KiB; the rest is for ZIP containers, whose kind shows
 * only in the names and first member behind their first local headers.
 */
export const TRIAGE_HEAD_BYTES = 16 * 1024;

export const EMPTY_TYPE = "application/x-empty";
export const URL_TYPE = "text/x-url";
const UNRECOGNISED = "application/octet-stream";

/** Formats that are a ZIP, a tar and so on underneath, so that a rule for the container matches them too. */
const CONTAINERS: readonly (readonly [container: string, member: RegExp])[] = [
  [
    "application/zip",
    /^application\/(?:vnd\.openxmlformats|vnd\.oasis\.opendocument|vnd\.ms-(?:word|excel|powerpoint)\.\w+\.macroenabled|vnd\.ms-visio|epub\+zip|x-xpinstall|java-archive|vnd\.android\.package-archive|vnd\.apple\.(?:pages|keynote|numbers))|^model\/3mf/,
  ],
  ["application/x-unix-archive", /^application\/x-deb$/],
  ["application/x-cfb", /^application\/(?:vnd\.ms-outlook|msword|vnd\.ms-excel$|x-msi)/],
  ["application/xml", /^image\/svg\+xml$/],
];

/** file-type reads structures that an attacker wrote; whatever it makes of them, we only lose a name. */
async function magicType(head: Uint8Array): Promise<string | undefined> {
  try {
    const found = await fileTypeFromBuffer(head);
    return found === undefined ? undefined : canonicalType(found.mime);
  } catch {
    return undefined;
  }
}

/**
 * Every MIME type found in the first bytes of an artifact, most specific first; at least one. A docx also lists
 * application/zip, a script text/plain; something that is two things at once lists both.
 *
 * `whole` says that `head` is all there is. At most `TRIAGE_HEAD_BYTES` are looked at, so that the same content has
 * the same types wherever it is looked at. Never throws, whatever the bytes.
 */
export async function detectTypes(
  head: Uint8Array,
  kind: ArtifactKind,
  whole: boolean,
): Promise<readonly string[]> {
  if (head.length === 0) return [whole ? EMPTY_TYPE : UNRECOGNISED];
  const sample = head.subarray(0, TRIAGE_HEAD_BYTES);
  const text = readText(sample, whole && sample.length === head.length);
  if (kind === "url") return text === undefined ? [UNRECOGNISED] : [URL_TYPE, "text/plain"];

  const magic = await magicType(sample);
  const script = text === undefined ? undefined : scriptType(text);
  const named = [script, magic].filter((type) => type !== undefined);
  const containers = CONTAINERS.filter(([, member]) => named.some((type) => member.test(type))).map(
    ([type]) => type,
  );
  const found = [...named, ...containers, ...(text === undefined ? [] : ["text/plain"])];
  return found.length === 0 ? [UNRECOGNISED] : [...new Set(found)];
}
