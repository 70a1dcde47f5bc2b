/**
 * Passwords on archives and disk images that are not opened here, where their headers tell. Sources: the technical notes of
 * ARJ 2.7 and ACE 1.3; for ALZ and EGG the format descriptions of ESTsoft; for encrypted disk images of Apple their magic.
 */
import { type Caveat, caveat } from "../../domain/caveat.ts";

/** Where the next header begins, and whether this one tells of a password; `undefined` at the last one. */
type Step = { readonly next: number; readonly locked: boolean } | undefined;

interface Format {
  readonly name: string;
  readonly begins: (content: Buffer) => boolean;
  /** Throws RangeError at the end of the bytes. */
  readonly step: (content: Buffer, at: number) => Step;
}

const startsWith =
  (magic: string, at = 0) =>
  (content: Buffer): boolean =>
    content.toString("latin1", at, at + magic.length) === magic;

const FORMATS: readonly Format[] = [
  { name: "ARJ", begins: isArj, step: stepArj },
  { name: "ACE", begins: startsWith("**ACE**", 7), step: stepAce },
  { name: "ALZ", begins: startsWith("ALZ\x01"), step: stepAlz },
  { name: "EGG", begins: startsWith("EGGA\0\x01"), step: stepEgg },
  {
    name: "disk image",
    begins: startsWith("encrcdsa"),
    step: () => ({ next: Number.POSITIVE_INFINITY, locked: true }),
  },
];

export const hasArchiveLock = (content: Uint8Array): boolean =>
  FORMATS.some(({ begins }) => begins(asBuffer(content)));

/** `undefined` for no password, and for what is none of these. Never throws. */
export function archiveLock(content: Uint8Array, mostHeaders: number): Caveat | undefined {
  const view = asBuffer(content);
  const format = FORMATS.find(({ begins }) => begins(view));
  if (format === undefined) return undefined;
  try {
    let headers = 0;
    for (let at = 0; at < view.length; headers++) {
      if (headers > mostHeaders)
        return caveat("too-many-entries", `More than ${mostHeaders} headers in the ${format.name}.`);
      const step = format.step(view, at);
      if (step === undefined) return undefined;
      if (step.locked) return caveat("encrypted", `The ${format.name} is under a password.`);
      // No step is shorter than one byte: the walk gets on.
      at = Math.max(at + 1, step.next);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return caveat("truncated", `The ${format.name} ends before its last header.`);
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

const ARJ = { magic: 0xea60, main: 2, garbled: 1, leastHeader: 30, mostHeader: 2600 };

/** Two letters are little: the main header is what it says. */
function isArj(content: Buffer): boolean {
  if (content.length < 4 + ARJ.leastHeader || content.readUInt16LE(0) !== ARJ.magic) return false;
  const size = content.readUInt16LE(2);
  return size >= ARJ.leastHeader && size <= ARJ.mostHeader && content[10] === ARJ.main;
}

function stepArj(content: Buffer, at: number): Step {
  const size = content.readUInt16LE(at + 2);
  if (content.readUInt16LE(at) !== ARJ.magic || size === 0) return undefined;
  const isMain = content.readUInt8(at + 10) === ARJ.main;
  let next = at + 4 + size + 4;
  // Further headers, each with its sum; an empty one is the last.
  for (let further = content.readUInt16LE(next); further > 0; further = content.readUInt16LE(next))
    next += 2 + further + 4;
  const packed = isMain ? 0 : content.readUInt32LE(at + 16);
  return { next: next + 2 + packed, locked: (content.readUInt8(at + 8) & ARJ.garbled) !== 0 };
}

const ACE = { file: 1, hasData: 1, password: 0x4000 };

function stepAce(content: Buffer, at: number): Step {
  const flags = content.readUInt16LE(at + 5);
  const data = (flags & ACE.hasData) === 0 ? 0 : content.readUInt32LE(at + 7);
  const locked = content.readUInt8(at + 4) === ACE.file && (flags & ACE.password) !== 0;
  return { next: at + 4 + content.readUInt16LE(at + 2) + data, locked };
}

const ALZ = { start: "ALZ\x01", file: "BLZ\x01", startBytes: 8, headerBytes: 13, encrypted: 1 };

function stepAlz(content: Buffer, at: number): Step {
  const magic = content.toString("latin1", at, at + 4);
  if (magic === ALZ.start) return { next: at + ALZ.startBytes, locked: false };
  if (magic !== ALZ.file) return undefined;
  const descriptor = content.readUInt8(at + 11);
  const locked = (descriptor & ALZ.encrypted) !== 0;
  const sizeBytes = descriptor >> 4;
  // A folder has no content, and no sizes.
  if (sizeBytes === 0 || sizeBytes > 6)
    return { next: at + ALZ.headerBytes + content.readUInt16LE(at + 4), locked };
  const packed = content.readUIntLE(at + ALZ.headerBytes + 6, sizeBytes);
  return { next: at + ALZ.headerBytes + 6 + 2 * sizeBytes + content.readUInt16LE(at + 4) + packed, locked };
}

/** Of an EGG: its header of 14 bytes, then fields that each begin with a magic number, a flag and a length. */
const EGG = {
  start: 0x41474745,
  startBytes: 14,
  password: 0x08d1470f,
  end: 0x08e28222,
  file: 0x0a8590e3,
  block: 0x02b50c13,
};

function stepEgg(content: Buffer, at: number): Step {
  const magic = content.readUInt32LE(at);
  if (magic === EGG.start) return { next: at + EGG.startBytes, locked: false };
  if (magic === EGG.end) return { next: at + 4, locked: false };
  if (magic === EGG.password) return { next: at + 4, locked: true };
  if (magic === EGG.file) return { next: at + 16, locked: false };
  if (magic === EGG.block) return { next: at + 22 + content.readUInt32LE(at + 10), locked: false };
  const wide = (content.readUInt8(at + 4) & 1) !== 0;
  return {
    next: at + (wide ? 9 + content.readUInt32LE(at + 5) : 7 + content.readUInt16LE(at + 5)),
    locked: false,
  };
}
