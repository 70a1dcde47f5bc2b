/**
 * What a RAR says in clear of passwords, by a walk along its headers: a password may be on the headers themselves or on any
 * of the files. Sources: RAR 5.0 archive format (rarlab.com/technote.htm), and headers.hpp of UnRAR for versions 2 to 4.
 */
import { type Caveat, caveat } from "../../domain/caveat.ts";

/** `undefined` for a RAR without a password; the content must begin as one. Never throws. */
export function rarLock(content: Uint8Array, mostHeaders: number): Caveat | undefined {
  const view = Buffer.from(content.buffer, content.byteOffset, content.length);
  let headers = 0;
  try {
    for (const encrypted of view[6] === 1 ? headers5(view) : headers4(view)) {
      if (encrypted) return caveat("encrypted", "The RAR is under a password.");
      if (++headers > mostHeaders)
        return caveat("too-many-entries", `More than ${mostHeaders} headers in the RAR.`);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return caveat("truncated", "The RAR ends before its last header.");
  }
}

const FOUR = {
  main: 0x73,
  file: 0x74,
  end: 0x7b,
  locked: 0x80,
  lockedFile: 4,
  hasData: 0x8000,
  large: 0x100,
};

/** Of each header, whether it tells of a password. Throws RangeError at the end of the bytes. */
function* headers4(view: Buffer): Generator<boolean> {
  for (let at = 7; at < view.length; ) {
    const type = view.readUInt8(at + 2);
    const flags = view.readUInt16LE(at + 3);
    const headerBytes = view.readUInt16LE(at + 5);
    if (type === FOUR.end) return;
    const lock = type === FOUR.main ? FOUR.locked : type === FOUR.file ? FOUR.lockedFile : 0;
    yield (flags & lock) !== 0;
    const data = (flags & FOUR.hasData) === 0 ? 0 : view.readUInt32LE(at + 7);
    const more = type === FOUR.file && (flags & FOUR.large) !== 0 ? view.readUInt32LE(at + 32) * 2 ** 32 : 0;
    // No header is shorter than this: the walk gets on.
    at = within(view, at + Math.max(7, headerBytes) + data + more);
  }
}

const FIVE = { file: 2, service: 3, password: 4, end: 5, hasExtra: 1, hasData: 2, encryptionRecord: 1 };

function* headers5(view: Buffer): Generator<boolean> {
  for (let at = 8; at < view.length; ) {
    const size = readVint(view, at + 4);
    const type = readVint(view, size.next);
    if (type.value === FIVE.end) return;
    if (type.value === FIVE.password) {
      yield true;
      return;
    }
    const flags = readVint(view, type.next);
    const extra = (flags.value & FIVE.hasExtra) === 0 ? NOTHING : readVint(view, flags.next);
    const data = (flags.value & FIVE.hasData) === 0 ? NOTHING : readVint(view, extra.next || flags.next);
    const end = within(view, Math.max(flags.next, size.next + size.value));
    const isFile = type.value === FIVE.file || type.value === FIVE.service;
    yield isFile && hasEncryptionRecord(view, Math.max(flags.next, end - extra.value), end);
    at = within(view, end + data.value);
  }
}

const NOTHING = { value: 0, next: 0 };

function within(view: Buffer, at: number): number {
  if (at > view.length) throw new RangeError("beyond the end");
  return at;
}

function hasEncryptionRecord(view: Buffer, from: number, end: number): boolean {
  for (let at = from; at < end; ) {
    const size = readVint(view, at);
    if (readVint(view, size.next).value === FIVE.encryptionRecord) return true;
    at = size.next + Math.max(1, size.value);
  }
  return false;
}

/** Seven bits a byte, the lowest first; the top bit says that more follow. Throws RangeError at the end of the bytes. */
function readVint(view: Buffer, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const byte = view.readUInt8(at + index);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  throw new RangeError("a number without end");
}
