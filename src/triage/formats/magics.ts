/** What file-type and libmagic know, and PDF. */
import { fileTypeFromBuffer } from "file-type";
import { canonicalType } from "../../domain/media-type.ts";
import { APK_TYPE, JAR_TYPE } from "../archives/zip-kind.ts";
import { libmagicType } from "./libmagic.ts";

const AR_TYPE = "application/x-unix-archive";

/** MIME types of the beginning of a content, by their canonical names. Never throws. */
export async function magicTypes(head: Uint8Array): Promise<readonly string[]> {
  const found = [await fileType(head), pdfType(head), await libmagicType(head)];
  return found.filter((type) => type !== undefined).filter((type) => type !== AR_TYPE || isAr(head));
}

/** It may hold texts and nothing else; others go by its first word, with which a text may begin. */
const isAr = (head: Uint8Array): boolean =>
  /^!<(?:arch|thin)>\n/.test(Buffer.from(head.subarray(0, 8)).toString("latin1"));

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
