/** What documents and archives that are not opened say in clear about themselves: a password, macros. */
import { type Caveat, caveat } from "../../domain/caveat.ts";
import { lockOfStreams } from "../offices/office-streams.ts";
import { readOleDirectory } from "../offices/ole-directory.ts";
import { readEncryptions } from "./pdf-encryption.ts";
import { opensWithoutPassword } from "./pdf-password.ts";

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

/** Content encrypted under an empty password is open to every reader. */
export function pdfLock(content: Uint8Array): Caveat | undefined {
  const encryptions = readEncryptions(asBuffer(content).toString("latin1"));
  const locked = encryptions.some(
    (encryption) => encryption === "unreadable" || !opensWithoutPassword(encryption),
  );
  return locked ? caveat("encrypted", "The PDF has encrypted content.") : undefined;
}
