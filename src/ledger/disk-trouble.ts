/** SQLite's primary result codes for a write that the disk, not the statement, is to blame for. */
const CODES: ReadonlySet<number> = new Set([
  5, // SQLITE_BUSY: another program, one that makes a copy, holds the file
  8, // SQLITE_READONLY
  10, // SQLITE_IOERR
  13, // SQLITE_FULL
  14, // SQLITE_CANTOPEN: no room for the journal file
]);

/**
 * Whether an error says that the ledger cannot be written now: the disk is full, broken or taken away. Nothing of what
 * was to be written is there then, and the same write may succeed later. Source: https://sqlite.org/rescode.html; the
 * extended codes of `errcode` keep the primary one in their lowest byte.
 */
export const isDiskTrouble = (error: unknown): error is Error =>
  error instanceof Error &&
  "errcode" in error &&
  typeof error.errcode === "number" &&
  CODES.has(error.errcode & 0xff);
