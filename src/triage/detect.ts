import type { ArtifactKind } from "../domain/artifact.ts";
import { localNames, readZipDirectory, type ZipEntry } from "./archives/zip-directory.ts";
import { APK_TYPE, isOutranked, JAR_TYPE, ZIP_TYPE, zipKinds } from "./archives/zip-kind.ts";
import { farFormatTypes, formatTypes } from "./formats/formats.ts";
import { magicTypes } from "./formats/magics.ts";
import { findContentTypes, isContentTypes, mainTypes } from "./formats/office-main.ts";
import { isOle, OLE_TYPE, oleKinds, readOleDirectory } from "./offices/ole-directory.ts";
import { textOfSample, typesBehind, typesOfText } from "./texts/artifact-text.ts";
import type { Extent } from "./texts/extent.ts";
import { readUnicodeText } from "./texts/text.ts";

/**
 * How much of an artifact decides its type before it is fetched whole. Magic numbers need 4 KiB; the rest is for ZIP
 * containers, whose kind shows only in the names and first member behind their first local headers.
 */
export const TRIAGE_HEAD_BYTES = 16 * 1024;

export const EMPTY_TYPE = "application/x-empty";
export const URL_TYPE = "text/x-url";
export const UNRECOGNISED = "application/octet-stream";
const TEXT_TYPE = "text/plain";

/** Names in a directory beyond this many say nothing new about what a ZIP is for. */
const MAX_ZIP_NAMES = 4096;

/** Formats that are a ZIP, a tar and so on underneath, so that a rule for the container matches them too. */
const CONTAINERS: readonly (readonly [container: string, member: RegExp])[] = [
  [
    ZIP_TYPE,
    /^application\/(?:vnd\.openxmlformats|vnd\.oasis\.opendocument|vnd\.ms-(?:word|excel|powerpoint)\.[\w.]+\.macroenabled|vnd\.ms-visio|epub\+zip|x-xpinstall|java-archive|vnd\.android\.package-archive|vnd\.apple\.(?:pages|keynote|numbers))|^model\/3mf/,
  ],
  ["application/x-unix-archive", /^application\/x-deb$/],
  ["application/xml", /^image\/svg\+xml$/],
];
/** What an archive or a text is besides what it is more specifically; named last. */
const GENERIC = new Set([...CONTAINERS.map(([type]) => type), OLE_TYPE, TEXT_TYPE]);

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

function contentsOfZip(content: Uint8Array, entries: readonly ZipEntry[]): readonly string[] {
  const described = entries.find(isContentTypes);
  const main = described === undefined ? [] : mainTypes(asBuffer(content), described.offset);
  return zipKinds(entries, main);
}

function beginningOfZip(beginning: Uint8Array): readonly string[] {
  const names = localNames(beginning);
  if (names.length === 0) return [];
  const described = asBuffer(beginning);
  return zipKinds(names, mainTypes(described, findContentTypes(described)));
}

/** What the end of the content and the directories in it tell; of a ZIP without its end, the names in its beginning. */
function typesInside(content: Uint8Array, extent: Extent): readonly string[] {
  const zip = extent === "whole" ? readZipDirectory(content, MAX_ZIP_NAMES) : undefined;
  const ole = readOleDirectory(content);
  const beginning = content.subarray(0, TRIAGE_HEAD_BYTES);
  return [
    ...(zip === undefined ? beginningOfZip(beginning) : [...contentsOfZip(content, zip.entries), ZIP_TYPE]),
    ...(ole === undefined ? [] : oleKinds(ole)),
    ...(isOle(content) ? [OLE_TYPE] : []),
  ];
}

/**
 * Every MIME type found in an artifact, most specific first; at least one. A docx also lists application/zip, a script
 * text/plain; something that is two things at once lists both. Names are canonical (domain/media-type.ts), and
 * docs/file-types.md lists them.
 *
 * `extent` says whether `head` is all there is. The first `TRIAGE_HEAD_BYTES` of a content have the same types wherever they
 * are looked at, with additions from what stands behind them: the directory of a ZIP is at its end (so GIF and jar in one
 * is only image/gif in the head, a docx whose first member is large only application/zip, an application whose manifest
 * comes late a jar), that of an OLE document may be anywhere, a disc image tells what it is behind 32 KiB and other disk
 * images at their end, and a script may stand behind long comments.
 *
 * Never throws, whatever the bytes, and holds the event loop for 20 ms at most for a head, 40 ms for a whole.
 */
export async function detectTypes(
  head: Uint8Array,
  kind: ArtifactKind,
  extent: Extent,
): Promise<readonly string[]> {
  if (head.length === 0) return [extent === "whole" ? EMPTY_TYPE : UNRECOGNISED];
  const sample = head.subarray(0, TRIAGE_HEAD_BYTES);
  const sampleExtent: Extent = sample.length < head.length ? "beginning" : extent;
  if (kind === "url")
    return readUnicodeText(sample, sampleExtent) === undefined ? [UNRECOGNISED] : [URL_TYPE, TEXT_TYPE];

  const magics = [...formatTypes(head), ...(await magicTypes(sample))];
  const text = textOfSample(sample, sampleExtent, magics);
  const told =
    text === undefined
      ? { types: typesBehind(head, magics), magics }
      : typesOfText(text, head, sample.length, magics);
  const inside = [...farFormatTypes(head, extent), ...typesInside(head, extent)];
  const own = text === undefined ? [] : [TEXT_TYPE];
  return ordered([...told.types, ...inside, ...told.magics], own);
}

/** `own`: what the content is as such, behind all that was found in it. */
function ordered(found: readonly string[], own: readonly string[]): readonly string[] {
  const inside = new Set(found);
  const named = found.filter(
    (type) => !(type === JAR_TYPE && inside.has(APK_TYPE)) && !isOutranked(type, inside),
  );
  const containers = CONTAINERS.filter(([, member]) => named.some((type) => member.test(type))).map(
    ([type]) => type,
  );
  const specific = named.filter((type) => !GENERIC.has(type));
  const generic = named.filter((type) => GENERIC.has(type) && type !== TEXT_TYPE);
  const types = new Set([...specific, ...generic, ...containers, ...own]);
  return types.size === 0 ? [UNRECOGNISED] : [...types];
}
