/**
 * What the streams of old Office documents say in clear about themselves. Sources: [MS-DOC] 2.5.2, [MS-XLS] 2.4.117
 * (FilePass) and 2.4.28 (BoundSheet8).
 */
import type { Caveat } from "../../domain/caveat.ts";
import type { OleDirectory } from "./ole-directory.ts";

/** Before its sheets, a workbook tells of fonts and formats; before that, of a password. */
const WORKBOOK_BYTES = 1024 * 1024;
const WORD = { bytes: 12, magic: 0xa5ec, flagsAt: 10, encrypted: 0x100 };
const RECORD = { begin: 0x0809, end: 0x000a, password: 0x002f, sheet: 0x0085, macroSheet: 1 };

/** `undefined` when there is neither, and for what is no Word document or workbook. Never throws. */
export function lockOfStreams({
  head,
}: OleDirectory): Extract<Caveat["kind"], "encrypted" | "macros"> | undefined {
  const word = head("worddocument", WORD.bytes);
  if (word?.length === WORD.bytes && word.readUInt16LE(0) === WORD.magic) {
    if ((word.readUInt16LE(WORD.flagsAt) & WORD.encrypted) !== 0) return "encrypted";
  }
  const workbook = head("workbook", WORKBOOK_BYTES) ?? head("book", WORKBOOK_BYTES);
  return workbook === undefined ? undefined : lockOfWorkbook(workbook);
}

/** A row of records, each with its type and length before it, up to the end of what holds for the whole workbook. */
function lockOfWorkbook(view: Buffer): "encrypted" | "macros" | undefined {
  let macros = false;
  for (let at = 0; at + 4 <= view.length; at += 4 + view.readUInt16LE(at + 2)) {
    const type = view.readUInt16LE(at);
    if (at === 0 && type !== RECORD.begin) return undefined;
    if (type === RECORD.password) return "encrypted";
    if (type === RECORD.end) break;
    // Excel 4.0: a sheet whose cells are a program.
    if (type === RECORD.sheet && view[at + 9] === RECORD.macroSheet) macros = true;
  }
  return macros ? "macros" : undefined;
}
