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
