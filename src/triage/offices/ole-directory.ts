/**
 * The directory of an OLE compound file: old Office documents, mails of Outlook, Windows Installer packages, and Office
 * documents under a password; and the beginnings of its streams. Source: [MS-CFB] 2.2, 2.6.
 */

const MAGIC = Buffer.from("d0cf11e0a1b11ae1", "hex");
const HEADER_BYTES = 512;
const ENTRY_BYTES = 128;
/** Of the directory; one that is longer is not read to its end. */
const MAX_ENTRIES = 10_000;
/** Shorter streams are in the "mini stream". */
const SHORT_BYTES = 4096;
const MSI_CLASS = "84100c0000000000c000000000000046";

export interface OleDirectory {
  /** Of streams and storages, lower case. */
  readonly names: ReadonlySet<string>;
  /** Class of the root storage, 32 hex digits. */
  readonly rootClass: string;
  /** False when it has more entries than are read. */
  readonly complete: boolean;
  /**
   * The first bytes of a stream, as far as they are there; of two of one name the first. Nothing of one shorter than 4 KiB,
   * which lies elsewhere: programs fill up the streams that hold a document.
   */
  head(name: string, mostBytes: number): Buffer | undefined;
}

/** `undefined` when it is no compound file or its directory is not within the bytes. Never throws. */
export function readOleDirectory(bytes: Uint8Array): OleDirectory | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.length < HEADER_BYTES || !view.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const sectorBytes = 2 ** view.readUInt16LE(30);
  if (sectorBytes !== 512 && sectorBytes !== 4096) return undefined;
  const names = new Set<string>();
  const starts = new Map<string, { readonly sector: number; readonly bytes: number }>();
  let rootClass = "";
  const head = (name: string, mostBytes: number): Buffer | undefined => {
    const start = starts.get(name);
    if (start === undefined || start.bytes < SHORT_BYTES) return undefined;
    return readChain(view, start.sector, sectorBytes, Math.min(mostBytes, start.bytes));
  };
  let sector = view.readUInt32LE(48);
  let complete = false;
  for (let seen = 0; seen < MAX_ENTRIES; seen += sectorBytes / ENTRY_BYTES) {
    const start = (sector + 1) * sectorBytes;
    if (start + sectorBytes > view.length)
      return seen === 0 ? undefined : { names, rootClass, complete: true, head };
    for (let at = start; at < start + sectorBytes; at += ENTRY_BYTES) {
      const nameBytes = Math.min(64, view.readUInt16LE(at + 64));
      if (nameBytes < 2) continue;
      const name = view.toString("utf16le", at, at + nameBytes - 2).toLowerCase();
      if (!names.has(name))
        starts.set(name, { sector: view.readUInt32LE(at + 116), bytes: view.readUInt32LE(at + 120) });
      names.add(name);
      if (view[at + 66] === 5) rootClass = view.toString("hex", at + 80, at + 96);
    }
    const next = nextSector(view, sector, sectorBytes);
    complete = next === undefined;
    if (next === undefined) break;
    sector = next;
  }
  return { names, rootClass, complete, head };
}

function readChain(view: Buffer, first: number, sectorBytes: number, bytes: number): Buffer {
  const parts: Buffer[] = [];
  let sector: number | undefined = first;
  for (let read = 0; read < bytes && sector !== undefined; read += sectorBytes) {
    const start = (sector + 1) * sectorBytes;
    parts.push(view.subarray(start, start + Math.min(sectorBytes, bytes - read)));
    sector = nextSector(view, sector, sectorBytes);
  }
  return Buffer.concat(parts);
}

/** Of the sectors of the allocation table; a document of 7 MB has more, listed in sectors of their own. */
const LISTED_IN_HEADER = 109;

/** Along the chain in the allocation table. */
function nextSector(view: Buffer, sector: number, sectorBytes: number): number | undefined {
  const perSector = sectorBytes / 4;
  if (sector * sectorBytes > view.length) return undefined;
  const table = listedAt(view, Math.floor(sector / perSector), sectorBytes);
  if (table + 4 > view.length) return undefined;
  const at = (view.readUInt32LE(table) + 1) * sectorBytes + 4 * (sector % perSector);
  const next = at + 4 <= view.length ? view.readUInt32LE(at) : 0xffffffff;
  return next < 0xfffffffa ? next : undefined;
}

/** Where it stands which sector is the `index`th of the allocation table; beyond the end for none. */
function listedAt(view: Buffer, index: number, sectorBytes: number): number {
  if (index < LISTED_IN_HEADER) return 76 + 4 * index;
  const perList = sectorBytes / 4 - 1;
  let rest = index - LISTED_IN_HEADER;
  let list = (view.readUInt32LE(68) + 1) * sectorBytes;
  for (; rest >= perList; rest -= perList) {
    const link = list + 4 * perList;
    if (link + 4 > view.length) return view.length;
    list = (view.readUInt32LE(link) + 1) * sectorBytes;
  }
  return list + 4 * rest;
}

export const OLE_TYPE = "application/x-cfb";

/** Whether it begins as one; its directory may be anywhere. */
export const isOle = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(MAGIC.length, bytes.length)).equals(MAGIC);

const KINDS: readonly (readonly [stream: string, type: string])[] = [
  ["worddocument", "application/msword"],
  ["workbook", "application/vnd.ms-excel"],
  ["book", "application/vnd.ms-excel"],
  ["powerpoint document", "application/vnd.ms-powerpoint"],
  ["__properties_version1.0", "application/vnd.ms-outlook"],
];

/** Every type that `oleKinds` may name. */
export const OLE_KINDS: readonly string[] = ["application/x-msi", ...new Set(KINDS.map(([, type]) => type))];

/** MIME types of the document besides application/x-cfb. */
export function oleKinds({ names, rootClass }: OleDirectory): readonly string[] {
  const kinds = KINDS.filter(([stream]) => names.has(stream)).map(([, type]) => type);
  return rootClass === MSI_CLASS ? ["application/x-msi", ...kinds] : kinds;
}
