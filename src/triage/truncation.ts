/** Programs that end before their own headers say they do. They do not run as they are, so no scanner saw what would run. */

import { type Caveat, caveat } from "../domain/caveat.ts";
import { highest } from "../domain/extremes.ts";

/** `undefined` for whole programs and for everything else. Never throws. */
export function truncation(bytes: Uint8Array): Caveat | undefined {
  const name = bytes[0] === 0x7f ? "ELF" : "PE";
  return programEnd(bytes) <= bytes.length
    ? undefined
    : caveat("truncated", `The ${name} program ends before its headers say it does.`);
}

/** Where its headers say that a program ends; what follows is not its own. 0 for everything else. Never throws. */
export function programEnd(bytes: Uint8Array): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const format = view.toString("latin1", 0, 4);
  try {
    if (format === "\x7fELF") return elfEnd(view);
    return format.startsWith("MZ") ? peEnd(view) : 0;
  } catch {
    // A header that cannot be read to its end is not there to its end.
    return Number.POSITIVE_INFINITY;
  }
}

/** Of what is loaded into memory; an object file has none, and is measured by its sections. Source: elf(5). */
function elfEnd(view: Buffer): number {
  const wide = view.readUInt8(4) === 2;
  const big = view.readUInt8(5) === 2;
  const u16 = (at: number): number => (big ? view.readUInt16BE(at) : view.readUInt16LE(at));
  const u32 = (at: number): number => (big ? view.readUInt32BE(at) : view.readUInt32LE(at));
  const word = (at: number): number =>
    wide ? Number(big ? view.readBigUInt64BE(at) : view.readBigUInt64LE(at)) : u32(at);
  const [programs, sections] = wide ? [word(32), word(40)] : [word(28), word(32)];
  const programBytes = u16(wide ? 54 : 42);
  const programCount = u16(wide ? 56 : 44);
  if (programCount === 0) return sections + u16(wide ? 58 : 46) * u16(wide ? 60 : 48);
  const ends = Array.from({ length: programCount }, (_, index) => {
    const at = programs + index * programBytes;
    return wide ? word(at + 8) + word(at + 32) : word(at + 4) + word(at + 16);
  });
  return Math.max(programs + programCount * programBytes, highest(ends));
}

/** Of the sections' raw data. A program for DOS has no PE header, and is left alone. Source: Microsoft PE format. */
function peEnd(view: Buffer): number {
  const forDos = view.readUInt16LE(24) < 0x40;
  if (forDos && view.length < 0x40) return 0;
  const header = view.readUInt32LE(0x3c);
  if (header + 24 > view.length) return forDos ? 0 : Number.POSITIVE_INFINITY;
  if (view.toString("latin1", header, header + 4) !== "PE\0\0") return 0;
  const sections = header + 24 + view.readUInt16LE(header + 20);
  const ends = Array.from({ length: view.readUInt16LE(header + 6) }, (_, index) => {
    const at = sections + 40 * index;
    const rawBytes = view.readUInt32LE(at + 16);
    return rawBytes === 0 ? 0 : view.readUInt32LE(at + 20) + rawBytes;
  });
  return Math.max(sections, highest(ends));
}
