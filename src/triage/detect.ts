import { fileTypeFromBuffer } from "file-type";
import type { ArtifactKind } from "../domain/artifact.ts";
import { canonicalType } from "../domain/media-type.ts";
import { textOf, typesBehind, typesOfText } from "./artifact-text.ts";
import { libmagicType } from "./libmagic.ts";
import { OLE_TYPE, oleKinds, readOleDirectory } from "./ole-directory.ts";
import { readText } from "./text.ts";
import { readZipDirectory } from "./zip-directory.ts";
import { APK_TYPE, JAR_TYPE, ZIP_TYPE, zipKinds } from "./zip-kind.ts";

/**
 * How much of an artifact decides its type before it is fetched whole. Magic numbers need 4 KiB; the rest is for ZIP
 * containers, whose kind shows only in the names and first member behind their first local headers.
 */
export const TRIAGE_HEAD_BYTES = 16 * 1024;

export const EMPTY_TYPE = "application/x-empty";
export const URL_TYPE = "text/x-url";
const UNRECOGNISED = "application/octet-stream";
const TEXT_TYPE = "text/plain";

/** Names in a directory beyond this many say nothing new about what a ZIP is for. */
const MAX_ZIP_NAMES = 4096;

/** Formats that are a ZIP, a tar and so on underneath, so that a rule for the container matches them too. */
const CONTAINERS: readonly (readonly [container: string, member: RegExp])[] = [
  [
    ZIP_TYPE,
    /^application\/(?:vnd\.openxmlformats|vnd\.oasis\.opendocument|vnd\.ms-(?:word|excel|powerpoint)\.\w+\.macroenabled|vnd\.ms-visio|epub\+zip|x-xpinstall|java-archive|vnd\.android\.package-archive|vnd\.apple\.(?:pages|keynote|numbers))|^model\/3mf/,
  ],
  ["application/x-unix-archive", /^application\/x-deb$/],
  [OLE_TYPE, /^application\/(?:vnd\.ms-outlook|msword|vnd\.ms-excel$|vnd\.ms-powerpoint$|x-msi)/],
  ["application/xml", /^image\/svg\+xml$/],
];
/** What an archive or a text is besides what it is more specifically; named last. */
const GENERIC = new Set([...CONTAINERS.map(([type]) => type), TEXT_TYPE]);

const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, at) => bytes[at] === byte);

/** file-type reads structures that an attacker wrote; whatever it makes of them, we only lose a name. */
async function fileType(head: Uint8Array): Promise<string | undefined> {
  // It would unpack a gzip to find a tar in it: 16 KiB hold 16 MiB, and half a second.
  if (startsWith(head, [0x1f, 0x8b])) return "application/gzip";
  try {
    const found = await fileTypeFromBuffer(head);
    const type = found && canonicalType(found.mime);
    return type === JAR_TYPE && namesManifestOfAndroid(head) ? APK_TYPE : type;
  } catch {
    return undefined;
  }
}

/** Signed applications begin with META-INF, like jars. */
const namesManifestOfAndroid = (head: Uint8Array): boolean =>
  Buffer.from(head.buffer, head.byteOffset, head.length).includes("AndroidManifest.xml");

/** Readers of PDF forgive a kilobyte of anything before it, which makes it a favourite of polyglots. */
const pdfType = (head: Uint8Array): string | undefined =>
  Buffer.from(head.buffer, head.byteOffset, Math.min(1024, head.length)).includes("%PDF-")
    ? "application/pdf"
    : undefined;

/** What the end of the content and the directories in it tell. */
function typesInside(content: Uint8Array, whole: boolean): readonly string[] {
  const zip = whole ? readZipDirectory(content, MAX_ZIP_NAMES) : undefined;
  const ole = readOleDirectory(content);
  return [
    ...(zip === undefined ? [] : [...zipKinds(zip.entries), ZIP_TYPE]),
    ...(ole === undefined ? [] : [...oleKinds(ole), OLE_TYPE]),
  ];
}

/**
 * Every MIME type found in an artifact, most specific first; at least one. A docx also lists application/zip, a script
 * text/plain; something that is two things at once lists both. Names are canonical (domain/media-type.ts).
 *
 * `whole` says that `head` is all there is. The first `TRIAGE_HEAD_BYTES` of a content have the same types wherever they
 * are looked at, with two additions from the whole: the directory of a ZIP is at its end (so GIF and jar in one is only
 * image/gif in the head, a docx whose first member is large only application/zip, an application whose manifest comes
 * late a jar), and that of an OLE document may be anywhere.
 *
 * Never throws, whatever the bytes, and holds the event loop for 20 ms at most.
 */
export async function detectTypes(
  head: Uint8Array,
  kind: ArtifactKind,
  whole: boolean,
): Promise<readonly string[]> {
  if (head.length === 0) return [whole ? EMPTY_TYPE : UNRECOGNISED];
  const sample = head.subarray(0, TRIAGE_HEAD_BYTES);
  const sampleIsWhole = whole && sample.length === head.length;
  if (kind === "url")
    return readText(sample, sampleIsWhole) === undefined ? [UNRECOGNISED] : [URL_TYPE, TEXT_TYPE];

  const magics = [await fileType(sample), pdfType(sample), await libmagicType(sample)].filter(
    (type) => type !== undefined,
  );
  const text = textOf(sample, sampleIsWhole, magics);
  const told =
    text === undefined
      ? { types: typesBehind(head, magics), magics }
      : typesOfText(text, head, sample.length, magics);
  const inside = typesInside(whole ? head : sample, whole);
  const found = [...told.types, ...inside, ...told.magics];
  const named = inside.includes(APK_TYPE) ? found.filter((type) => type !== JAR_TYPE) : found;
  const containers = CONTAINERS.filter(([, member]) => named.some((type) => member.test(type))).map(
    ([type]) => type,
  );
  const specific = named.filter((type) => !GENERIC.has(type));
  const generic = named.filter((type) => GENERIC.has(type) && type !== TEXT_TYPE);
  const types = new Set([...specific, ...generic, ...containers, ...(text === undefined ? [] : [TEXT_TYPE])]);
  return types.size === 0 ? [UNRECOGNISED] : [...types];
}
