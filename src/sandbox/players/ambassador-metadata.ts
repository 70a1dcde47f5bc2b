import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { fileTypeFromBuffer } from "file-type";

import type { Specimen } from "../samples/corpus.ts";

/**
 * Describes an artifact in a form that every version of the bounty metadata schema accepts: `filesize` a decimal string
 * above zero (left out for an empty file), no nulls, files and URLs never mixed within one list.
 */
export async function describeSpecimen(
  { kind, name }: Specimen,
  content: Uint8Array,
): Promise<Readonly<Record<string, string>>> {
  if (kind === "url") return { protocol: new URL(name).protocol.slice(0, -1), uri: name };
  const hash = (algorithm: string): string => createHash(algorithm).update(content).digest("hex");
  return {
    filename: name,
    ...(content.length > 0 ? { filesize: String(content.length) } : {}),
    mimetype: await mimeType(content),
    sha256: hash("sha256"),
    sha1: hash("sha1"),
    md5: hash("md5"),
  };
}

/** The schema demands a string; an unknown type is an empty one. */
async function mimeType(content: Uint8Array): Promise<string> {
  const found = await fileTypeFromBuffer(content);
  if (found !== undefined) return found.mime;
  return content.length > 0 && isUtf8(content) && !content.includes(0) ? "text/plain" : "";
}
