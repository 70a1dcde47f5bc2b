/**
 * The central directory of a ZIP, read the way lenient unpackers read it: wherever its end is found in the last 64 KiB,
 * whatever stands before the archive (a picture, a program), and as far as its entries make sense. A strict reader
 * refuses what malware relies on others to open. Source: PKWARE APPNOTE 4.3.
 */

export interface ZipEntry {
  /** As its bytes say, one character a byte: for comparing, not for showing. */
  readonly name: string;
  readonly encrypted: boolean;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  /** Bytes, both as the directory claims. */
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** Of its local header, from the beginning of the bytes. */
  readonly offset: number;
}

interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** As the end record claims; more than `entries` when the limit was reached or the directory is damaged. */
  readonly declaredEntries: number;
  /** Its end can be read as leading to another one: unpackers differ in which they take. */
  readonly ambiguous: boolean;
}

const END = Buffer.from("PK\x05\x06", "latin1");
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;

/** `undefined` when the bytes do not end as a ZIP does. An end of nothing hides no other before it. Never throws. */
export function readZipDirectory(bytes: Uint8Array, maxEntries: number): ZipDirectory | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const from = Math.max(0, view.length - END_BYTES - MAX_COMMENT_BYTES);
  const tail = view.subarray(from);
  let empty: ZipDirectory | undefined;
  for (let at = tail.lastIndexOf(END); at !== -1; at = at === 0 ? -1 : tail.lastIndexOf(END, at - 1)) {
    const directory = directoryBefore(view, from + at, maxEntries);
    if (directory !== undefined && directory.entries.length > 0) return directory;
    empty ??= directory;
  }
  return empty;
}

function directoryBefore(view: Buffer, end: number, maxEntries: number): ZipDirectory | undefined {
  if (end + END_BYTES > view.length) return undefined;
  const declaredEntries = view.readUInt16LE(end + 10);
  const sizeBytes = view.readUInt32LE(end + 12);
  const declaredStart = view.readUInt32LE(end + 16);
  if (declaredEntries === 0)
    return sizeBytes === 0 ? { entries: [], declaredEntries, ambiguous: false } : undefined;
  // What stands before the archive moves everything; the directory itself still ends where its end begins.
  const [start, other = start] = [end - sizeBytes, declaredStart].filter(
    (at) => at >= 0 && at + ENTRY_BYTES <= view.length && view.readUInt32LE(at) === ENTRY,
  );
  if (start === undefined) return undefined;
  const shift = start - declaredStart;
  const entries: ZipEntry[] = [];
  let at = start;
  while (entries.length < maxEntries && at + ENTRY_BYTES <= end && view.readUInt32LE(at) === ENTRY) {
    const nameBytes = view.readUInt16LE(at + 28);
    const offset = view.readUInt32LE(at + 42);
    entries.push({
      name: view.toString("latin1", at + ENTRY_BYTES, Math.min(end, at + ENTRY_BYTES + nameBytes)),
      encrypted: (view.readUInt16LE(at + 8) & 1) !== 0 || encryptedLocally(view, offset + shift),
      method: view.readUInt16LE(at + 10),
      packedBytes: view.readUInt32LE(at + 20),
      unpackedBytes: view.readUInt32LE(at + 24),
      offset: offset + shift,
    });
    at += ENTRY_BYTES + nameBytes + view.readUInt16LE(at + 30) + view.readUInt16LE(at + 32);
  }
  return { entries, declaredEntries, ambiguous: other !== start };
}

/** The two headers of an entry need not agree, and unpackers differ in which they believe. */
const encryptedLocally = (view: Buffer, at: number): boolean =>
  isLocalHeader(view, at) && (view.readUInt16LE(at + 6) & 1) !== 0;

const isLocalHeader = (view: Buffer, at: number): boolean =>
  at >= 0 && at + LOCAL_BYTES <= view.length && view.readUInt32LE(at) === LOCAL;

/** Of a ZIP of which only the beginning is there: the names in its local headers, as far as they go. One pass. */
export function localNames(beginning: Uint8Array): readonly Pick<ZipEntry, "name">[] {
  const view = Buffer.from(beginning.buffer, beginning.byteOffset, beginning.length);
  if (!isLocalHeader(view, 0)) return [];
  const names: { name: string }[] = [];
  for (let at = 0; at !== -1; at = view.indexOf(LOCAL_MAGIC, at + LOCAL_BYTES)) {
    const start = at + LOCAL_BYTES;
    if (start > view.length) break;
    const end = start + view.readUInt16LE(at + 26);
    if (end <= view.length) names.push({ name: view.toString("latin1", start, end) });
  }
  return names;
}

const LOCAL_MAGIC = Buffer.from("PK\x03\x04", "latin1");

/** What may follow the content of an entry before the next one: its sum and sizes, with or without a mark, in 4 bytes or 8. */
const DESCRIPTOR_BYTES = [0, 12, 16, 20, 24];

/** Whether there are entries that the directory does not list. Who reads from the beginning finds them all the same. */
export function hidesEntries(bytes: Uint8Array, entries: readonly ZipEntry[]): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (entries.length === 0) return isLocalHeader(view, 0);
  const listed = new Set(entries.map(({ offset }) => offset));
  return entries.some((entry) => {
    const packed = packedContent(bytes, entry);
    if (packed === undefined) return false;
    const end = packed.byteOffset - bytes.byteOffset + packed.length;
    return DESCRIPTOR_BYTES.some((more) => isLocalHeader(view, end + more) && !listed.has(end + more));
  });
}

/** The packed content of an entry; `undefined` when it does not lie within the bytes. */
export function packedContent(bytes: Uint8Array, { offset, packedBytes }: ZipEntry): Uint8Array | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!isLocalHeader(view, offset)) return undefined;
  const start = offset + LOCAL_BYTES + view.readUInt16LE(offset + 26) + view.readUInt16LE(offset + 28);
  return start + packedBytes <= view.length ? view.subarray(start, start + packedBytes) : undefined;
}
