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
  if (VBA.some((name) => names.has(name)) || said === "macros")
    return caveat("macros", "The document has macros.");
  return directory.complete
    ? undefined
    : caveat("too-many-entries", `More than ${directory.names.size} streams in the OLE document.`);
}

/** Of what OOXML and PowerPoint become under a password, and of the programs in a document. */
const LOCKED = ["encryptedpackage", "encryptedsummary"];
const VBA = ["vba", "_vba_project", "_vba_project_cur"];

export const pdfLock = (content: Uint8Array): Caveat | undefined =>
  ENCRYPT.test(asBuffer(content).toString("latin1"))
    ? caveat("encrypted", "The PDF has encrypted content.")
    : undefined;

/** `/Encrypt`; any letter of a name may be written as the number that it is. Source: ISO 32000 7.3.5. */
const ENCRYPT = /\/(?:E|#45)(?:n|#6[eE])(?:c|#63)(?:r|#72)(?:y|#79)(?:p|#70)(?:t|#74)/;
