/**
 * Whether a 7z is under a password: its directory names the methods of its files. The directory is at the end, packed by
 * itself unless it is small, and encrypted as well if the archive's author wished so. Source: 7zFormat.txt of the LZMA SDK.
 */
import { type Caveat, caveat } from "../../domain/caveat.ts";
import { unpackLzma } from "./lzma.ts";

const START_BYTES = 32;
const AES = Buffer.from("06f10701", "hex");
const LZMA = "030101";
/** Of a directory, unpacked: some 40,000 files. 100 ms. */
const MOST_BYTES = 4 * 1024 * 1024;
/** A packed directory may be packed again. */
const MOST_ROUNDS = 3;
const ID = {
  packedDirectory: 0x17,
  packInfo: 6,
  codersInfo: 7,
  sizes: 9,
  crc: 10,
  folder: 11,
  unpackSizes: 12,
  end: 0,
};

/** Asked only of what begins as a 7z. Never throws. */
export function sevenZipLock(content: Uint8Array): Caveat | undefined {
  const view = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (view.length < START_BYTES) return caveat("truncated", "The 7z ends within its header.");
  const from = START_BYTES + Number(view.readBigUInt64LE(12));
  const end = from + Number(view.readBigUInt64LE(20));
  if (end > view.length) return caveat("truncated", "The 7z ends before its directory.");
  try {
    let directory: Uint8Array = view.subarray(from, end);
    for (let round = 0; round <= MOST_ROUNDS; round++) {
      if (Buffer.from(directory).includes(AES)) return caveat("encrypted", "The 7z is under a password.");
      if (directory[0] !== ID.packedDirectory) return undefined;
      const packed = readPackedDirectory(directory);
      if (packed === undefined)
        return caveat("unsupported", "The directory of the 7z is packed in a way that no program packs it.");
      if (packed.unpackedBytes > MOST_BYTES)
        return caveat("too-much", `The directory of the 7z unpacks to more than ${MOST_BYTES} bytes.`);
      const at = START_BYTES + packed.at;
      directory = unpackLzma(view.subarray(at, at + packed.bytes), packed.properties, packed.unpackedBytes);
    }
    return caveat("too-deep", "The directory of the 7z is packed again and again.");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return caveat("damaged", "The directory of the 7z cannot be unpacked.");
  }
}

interface PackedDirectory {
  /** Behind the start of the archive. */
  readonly at: number;
  readonly bytes: number;
  readonly unpackedBytes: number;
  readonly properties: number;
}

/** `undefined` when it is packed by something else than LZMA alone, as no program does. Throws RangeError for nonsense. */
function readPackedDirectory(directory: Uint8Array): PackedDirectory | undefined {
  const reader = new Reader(directory);
  reader.expect(ID.packedDirectory, ID.packInfo);
  const at = reader.number();
  if (reader.number() !== 1) return undefined;
  reader.expect(ID.sizes);
  const bytes = reader.number();
  if (reader.peek() === ID.crc) reader.skip(6);
  reader.expect(ID.end, ID.codersInfo, ID.folder);
  if (reader.number() !== 1) return undefined;
  reader.expect(0);
  if (reader.number() !== 1) return undefined;
  const kind = reader.byte();
  const method = Buffer.from(reader.take(kind & 0xf)).toString("hex");
  if (method !== LZMA || (kind & 0xf0) !== 0x20 || reader.number() !== 5) return undefined;
  const [properties] = reader.take(5);
  reader.expect(ID.unpackSizes);
  return { at, bytes, unpackedBytes: reader.number(), properties: properties! };
}

/** Throws RangeError at the end of the bytes. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  peek(): number | undefined {
    return this.#bytes[this.#at];
  }

  take(count: number): Uint8Array {
    this.#at += count;
    if (this.#at > this.#bytes.length) throw new RangeError("ends too early");
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  skip(count: number): void {
    this.take(count);
  }

  byte(): number {
    return this.take(1)[0]!;
  }

  expect(...bytes: readonly number[]): void {
    for (const byte of bytes) if (this.byte() !== byte) throw new RangeError("something else");
  }

  /** The bits set at the top of the first byte say how many bytes follow, the lowest first; its rest is the highest. */
  number(): number {
    const first = this.byte();
    let value = 0;
    for (let index = 0, mask = 0x80; index < 8; index++, mask >>= 1) {
      if ((first & mask) === 0) return value + (first & (mask - 1)) * 2 ** (8 * index);
      value += this.byte() * 2 ** (8 * index);
    }
    return value;
  }
}
