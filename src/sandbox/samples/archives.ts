import { crc32 } from "node:zlib";

/** A file to be packed. Names are ASCII and at most 100 characters. */
interface Entry {
  readonly name: string;
  readonly content: Uint8Array;
}

/** A ZIP archive whose entries are stored, not compressed: a pattern in an entry is a pattern in the archive. */
export function zipOf(entries: readonly Entry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of entries) {
    const path = Buffer.from(name, "ascii");
    const common = zipCommon(path, content);
    const local = Buffer.concat([u32(0x04034b50), common, path, content]);
    directory.push(
      Buffer.concat([u32(0x02014b50), u16(20), common, u16(0), u16(0), u16(0), u32(0), u32(offset), path]),
    );
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const count = u16(entries.length);
  const end = [u32(0x06054b50), u16(0), u16(0), count, count, u32(central.length), u32(offset), u16(0)];
  return Buffer.concat([...locals, central, ...end]);
}

/** The fields that a local header and the directory share: version 2.0, no flags, stored, dated 1980-01-01. */
function zipCommon(path: Buffer, content: Uint8Array): Buffer {
  const size = u32(content.length);
  const header = [u16(20), u16(0), u16(0), u16(0), u16(0x21), u32(crc32(content)), size, size];
  return Buffer.concat([...header, u16(path.length), u16(0)]);
}

/** A POSIX tar archive of plain files, last changed at the epoch. */
export function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ name, content }) => [
    tarHeader(name, content.length),
    content,
    Buffer.alloc((512 - (content.length % 512)) % 512),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, "ascii");
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write(`${"0".padStart(11, "0")}\0`, 136);
  // The checksum counts its own field as blanks.
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
