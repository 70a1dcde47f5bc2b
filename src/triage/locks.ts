/** What documents and archives that are not opened say in clear about themselves: a password, macros. */
import { type Caveat, caveat } from "../domain/caveat.ts";
import { lockOfStreams } from "./office-streams.ts";
import { readOleDirectory } from "./ole-directory.ts";

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

export function oleLock(content: Uint8Array): Caveat | undefined {
  const directory = readOleDirectory(content);
  if (directory === undefined) return caveat("truncated", "The OLE document ends before its directory.");
  const { names } = directory;
  const said = lockOfStreams(directory);
  if (LOCKED.some((name) => names.has(name)) || said === "encrypted")
    return caveat("encrypted", "The document is under a password.");
  const macros = VBA.some((name) => names.has(name)) || said === "macros";
  return macros ? caveat("macros", "The document has macros.") : undefined;
}

/** Of what OOXML and PowerPoint become under a password, and of the programs in a document. */
const LOCKED = ["encryptedpackage", "encryptedsummary"];
const VBA = ["vba", "_vba_project", "_vba_project_cur"];

export const pdfLock = (content: Uint8Array): Caveat | undefined =>
  asBuffer(content).includes("/Encrypt") ? caveat("encrypted", "The PDF has encrypted content.") : undefined;

const AES = Buffer.from("06f10701", "hex");

/** The headers at the end name the methods; packed headers do not, unless they are encrypted themselves. */
export function sevenZipLock(content: Uint8Array): Caveat | undefined {
  const view = asBuffer(content);
  if (view.length < 32) return caveat("truncated", "The 7z ends within its header.");
  const headers = 32 + Number(view.readBigUInt64LE(12));
  if (headers + Number(view.readBigUInt64LE(20)) > view.length) {
    return caveat("truncated", "The 7z ends before its directory.");
  }
  return view.subarray(headers).includes(AES)
    ? caveat("encrypted", "The 7z is under a password.")
    : undefined;
}
