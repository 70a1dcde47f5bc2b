/**
 * Looks through archives and documents for what keeps scanners from seeing through them, within limits: an artifact is
 * worth so much work and no more. What is unpacked is looked at and forgotten; nothing is written anywhere.
 *
 * A ZIP is read by its directory; of its entries only the first bytes are unpacked, and whole archives among them. A tar
 * is walked, a gzip unpacked, a mail's attachments decoded. What else can hold files (7z, rar, cab ...) is not opened, only
 * asked whether it is encrypted where it says so in clear.
 */
import { setImmediate as breathe } from "node:timers/promises";
import { promisify } from "node:util";
import { constants, gunzip, inflateRaw, inflateRawSync } from "node:zlib";
import { type Caveat, caveat } from "../domain/caveat.ts";
import { rarLock } from "./archives/rar.ts";
import { sevenZipLock } from "./archives/seven-zip.ts";
import { isTar, tarMembers } from "./archives/tar.ts";
import { hidesEntries, packedContent, readZipDirectory, type ZipEntry } from "./archives/zip-directory.ts";
import { hasMacros } from "./archives/zip-kind.ts";
import { archiveLock, hasArchiveLock } from "./locks/archives.ts";
import { oleLock, pdfLock } from "./locks/documents.ts";
import { isMail, MAIL_HEAD_BYTES, mailParts } from "./texts/mail.ts";
import { isEvidentText } from "./texts/text.ts";
import { programEnd, truncation } from "./truncation.ts";

interface LookLimits {
  /** Of everything that is unpacked, together. */
  readonly unpackedBytes: number;
  /** Of all archives together. */
  readonly entries: number;
  /** Archives in each other; 1 looks into the artifact and into nothing that it holds. */
  readonly depth: number;
  /** Unpacked to packed, where more than a mebibyte is unpacked. Text that repeats itself reaches 200; zlib's most is 1032. */
  readonly ratio: number;
}

export const LOOK_LIMITS: LookLimits = {
  unpackedBytes: 32 * 1024 * 1024,
  entries: 10_000,
  depth: 5,
  ratio: 400,
};

/** What is left of the limits. */
interface Budget {
  bytes: number;
  entries: number;
  readonly limits: LookLimits;
  readonly signal: AbortSignal | undefined;
}

const MIB = 1024 * 1024;
/** Of packed content that is unpacked to see what it begins with: at most 260 KiB come out. */
const PEEK_BYTES = 256;
/** Entries that are peeked into before the event loop has its turn: a millisecond's work, 10 ms of bombs. */
const PEEKS_IN_A_ROW = 32;

const unzip = promisify(gunzip);
const inflate = promisify(inflateRaw);

/**
 * The first thing found that keeps a scanner from seeing through the content, or `undefined`. Never throws. When the
 * signal aborts, what has not been looked at by then is not seen through.
 */
export async function lookInside(
  content: Uint8Array,
  limits: LookLimits = LOOK_LIMITS,
  signal?: AbortSignal,
): Promise<Caveat | undefined> {
  const budget = { bytes: limits.unpackedBytes, entries: limits.entries, limits, signal };
  try {
    return await look(content, 1, budget);
  } catch {
    return caveat("damaged", "It cannot be read as what it says it is.");
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** `depth` is that of the content: 1 for the artifact. */
async function look(content: Uint8Array, depth: number, budget: Budget): Promise<Caveat | undefined> {
  const known = formatOf(content);
  const found = known && (await FORMATS[known](content, depth, budget));
  if (found !== undefined) return found;
  if (known !== "pdf" && headOf(content).includes(PDF)) {
    const locked = pdfLock(content);
    if (locked !== undefined) return locked;
  }
  return (
    (known === "zip" ? undefined : await zipBehind(content, depth, budget)) ??
    (known === undefined || known === "program" ? lockBehind(content, budget) : undefined)
  );
}

type Look = (content: Uint8Array, depth: number, budget: Budget) => Promise<Caveat | undefined>;

const FORMATS = {
  zip: lookIntoZip,
  gzip: lookIntoGzip,
  tar: lookIntoTar,
  mail: lookIntoMail,
  program: async (content) => truncation(content),
  ole: async (content) => oleLock(content),
  pdf: async (content) => pdfLock(content),
  rar: async (content, _depth, { entries }) => rarLock(content, entries),
  sevenZip: async (content) => sevenZipLock(content),
  locked: async (content, _depth, { entries }) => archiveLock(content, entries),
} satisfies Readonly<Record<string, Look>>;

const PDF = "%PDF-";
const RAR = "Rar!\x1a\x07";
const SEVEN_ZIP = "7z\xbc\xaf\x27\x1c";

/** One character a byte. */
const headOf = (content: Uint8Array): string => asBuffer(content.subarray(0, 1024)).toString("latin1");

function formatOf(content: Uint8Array): keyof typeof FORMATS | undefined {
  const head = headOf(content);
  if (["PK\x03\x04", "PK\x05\x06", "PK\x07\x08"].some((magic) => head.startsWith(magic))) return "zip";
  if (head.startsWith("\x1f\x8b")) return "gzip";
  if (head.startsWith("\x7fELF") || (head.startsWith("MZ") && !isEvidentText(content))) return "program";
  if (head.startsWith("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) return "ole";
  if (head.startsWith(RAR)) return "rar";
  if (head.startsWith(SEVEN_ZIP)) return "sevenZip";
  if (hasArchiveLock(content)) return "locked";
  if (isTar(content)) return "tar";
  if (isMail(asBuffer(content.subarray(0, MAIL_HEAD_BYTES)).toString("latin1"))) return "mail";
  return head.includes(PDF) ? "pdf" : undefined;
}

/** An archive behind something else: a program that unpacks itself, a picture that is a jar. */
async function zipBehind(content: Uint8Array, depth: number, budget: Budget): Promise<Caveat | undefined> {
  return readZipDirectory(content, 1) === undefined ? undefined : lookIntoZip(content, depth, budget);
}

/** How far unpackers look for the beginning of a RAR or 7z. */
const BEHIND_BYTES = MIB;

/**
 * A password on a RAR or 7z behind something else. In a program itself and in lists of formats its first bytes are just
 * bytes, so nothing less than a password counts.
 */
function lockBehind(content: Uint8Array, { entries }: Budget): Caveat | undefined {
  const end = programEnd(content);
  if (end >= content.length) return undefined;
  const rest = asBuffer(content.subarray(end));
  const near = rest.subarray(0, BEHIND_BYTES);
  const rar = near.indexOf(RAR, 0, "latin1");
  const sevenZip = near.indexOf(SEVEN_ZIP, 0, "latin1");
  return [
    rar === -1 ? undefined : rarLock(rest.subarray(rar), entries),
    sevenZip === -1 ? undefined : sevenZipLock(rest.subarray(sevenZip)),
  ].find((found) => found?.kind === "encrypted");
}

async function lookIntoZip(content: Uint8Array, depth: number, budget: Budget): Promise<Caveat | undefined> {
  if (depth > budget.limits.depth) return tooDeep(budget);
  const directory = readZipDirectory(content, budget.entries + 1);
  if (directory === undefined) return caveat("truncated", "The ZIP has no directory at its end.");
  const { entries, declaredEntries, ambiguous } = directory;
  if (declaredEntries > budget.entries || entries.length > budget.entries) return tooMany(budget);
  budget.entries -= entries.length;
  if (entries.some(({ encrypted }) => encrypted)) {
    return caveat("encrypted", "The ZIP has entries under a password.");
  }
  if (entries.length < declaredEntries)
    return caveat("damaged", "The directory of the ZIP is not what its end says it is.");
  if (ambiguous) return caveat("damaged", "The end of the ZIP leads to two directories.");
  if (hidesEntries(content, entries))
    return caveat("damaged", "The ZIP has entries that its directory does not list.");
  const bomb = zipBomb(entries, content.length, budget.limits);
  if (bomb !== undefined) return bomb;
  if (hasMacros(entries)) return caveat("macros", "The document has macros.");
  for (const [at, entry] of entries.entries()) {
    if (at % PEEKS_IN_A_ROW === PEEKS_IN_A_ROW - 1) await breathe();
    if (budget.signal?.aborted === true) return NO_TIME;
    const found = await lookIntoEntry(content, entry, depth, budget);
    if (found !== undefined) return found;
  }
  return zipBefore(content, entries, depth, budget);
}

/** Of two archives in a row, some unpackers open the first and some the last. */
async function zipBefore(
  content: Uint8Array,
  entries: readonly ZipEntry[],
  depth: number,
  budget: Budget,
): Promise<Caveat | undefined> {
  if (entries.length === 0) return undefined;
  const start = entries.reduce((least, { offset }) => Math.min(least, offset), content.length);
  const before = content.subarray(0, start);
  return formatOf(before) === "zip"
    ? lookIntoZip(before, depth + 1, budget)
    : zipBehind(before, depth + 1, budget);
}

/** By what the directory claims. Entries that share their packed bytes are how a small file claims to hold a huge one. */
function zipBomb(
  entries: readonly ZipEntry[],
  contentBytes: number,
  { ratio }: LookLimits,
): Caveat | undefined {
  const packed = entries.reduce((sum, entry) => sum + entry.packedBytes, 0);
  const unpacked = entries.reduce((sum, entry) => sum + entry.unpackedBytes, 0);
  if (packed > contentBytes) return caveat("bomb", "The entries of the ZIP overlap.");
  return isBomb(packed, unpacked, ratio) ? bombOf("ZIP", packed, unpacked) : undefined;
}

const isBomb = (packed: number, unpacked: number, ratio: number): boolean =>
  unpacked > MIB && unpacked > packed * ratio;
const bombOf = (name: string, packed: number, unpacked: number): Caveat =>
  caveat("bomb", `${packed} bytes in the ${name} unpack to ${unpacked} or more.`);
const tooDeep = ({ limits }: Budget): Caveat =>
  caveat("too-deep", `Archives in archives, more than ${limits.depth} deep.`);
const tooMany = ({ limits }: Budget): Caveat =>
  caveat("too-many-entries", `More than ${limits.entries} entries in its archives.`);
const tooMuch = ({ limits }: Budget): Caveat =>
  caveat("too-much", `Its archives unpack to more than ${limits.unpackedBytes} bytes.`);

const NO_TIME = caveat("too-much", "There was no time to look through all its archives.");

const STORED = 0;
const DEFLATED = 8;
/** Imploded, deflated with a larger window, bzip2: not opened here, but scanners that unpack know them. */
const OPENED_BY_OTHERS = new Set([6, 9, 12]);
const AES = 99;

async function lookIntoEntry(
  content: Uint8Array,
  entry: ZipEntry,
  depth: number,
  budget: Budget,
): Promise<Caveat | undefined> {
  const packed = packedContent(content, entry);
  if (packed === undefined) return caveat("damaged", "An entry of the ZIP is not where its directory says.");
  if (entry.method === STORED) return lookIntoMember(packed, depth, budget);
  if (packed.length === 0 || OPENED_BY_OTHERS.has(entry.method)) return undefined;
  if (entry.method === AES) return caveat("encrypted", "The ZIP has entries under a password.");
  if (entry.method !== DEFLATED)
    return caveat("unsupported", `An entry of the ZIP is packed by method ${entry.method}.`);
  const peeked = peek(packed);
  if (peeked === undefined) return caveat("damaged", "An entry of the ZIP cannot be unpacked.");
  if (peeked.length > entry.unpackedBytes)
    return caveat("damaged", "An entry of the ZIP is larger than it says.");
  if (formatOf(peeked) === undefined) return undefined;
  if (entry.unpackedBytes > budget.bytes) return tooMuch(budget);
  const unpacked = await unpack(inflate, packed, entry.unpackedBytes);
  if (!(unpacked instanceof Uint8Array))
    return caveat("damaged", "An entry of the ZIP cannot be unpacked to the size it says.");
  budget.bytes -= unpacked.length;
  return lookIntoMember(unpacked, depth, budget);
}

/** A program in an archive may be cut off; archives and documents are looked at like the artifact. */
async function lookIntoMember(
  member: Uint8Array,
  depth: number,
  budget: Budget,
): Promise<Caveat | undefined> {
  const format = formatOf(member);
  return format === undefined || format === "program" ? undefined : look(member, depth + 1, budget);
}

/** At once: for so few bytes, a way to the thread pool and back takes ten times as long. */
function peek(packed: Uint8Array): Uint8Array | undefined {
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MIB };
  try {
    return inflateRawSync(packed.subarray(0, PEEK_BYTES), options);
  } catch {
    return undefined;
  }
}

type Unpacked = Uint8Array | "too-large" | "truncated" | "damaged";

async function unpack(by: typeof unzip, packed: Uint8Array, mostBytes: number): Promise<Unpacked> {
  try {
    return await by(packed, { maxOutputLength: Math.max(1, mostBytes) });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ERR_BUFFER_TOO_LARGE") return "too-large";
    return code === "Z_BUF_ERROR" ? "truncated" : "damaged";
  }
}

async function lookIntoGzip(content: Uint8Array, depth: number, budget: Budget): Promise<Caveat | undefined> {
  if (depth > budget.limits.depth) return tooDeep(budget);
  const unpacked = await unpack(unzip, content, budget.bytes);
  switch (unpacked) {
    case "truncated":
      return caveat("truncated", "The gzip ends before its content does.");
    case "damaged":
      return caveat("damaged", "The gzip cannot be unpacked.");
    case "too-large":
      return isBomb(content.length, budget.bytes, budget.limits.ratio)
        ? bombOf("gzip", content.length, budget.bytes)
        : tooMuch(budget);
    default:
      if (isBomb(content.length, unpacked.length, budget.limits.ratio))
        return bombOf("gzip", content.length, unpacked.length);
      budget.bytes -= unpacked.length;
      return lookIntoMember(unpacked, depth, budget);
  }
}

async function lookIntoTar(content: Uint8Array, depth: number, budget: Budget): Promise<Caveat | undefined> {
  if (depth > budget.limits.depth) return tooDeep(budget);
  for (const member of tarMembers(content)) {
    if (budget.signal?.aborted === true) return NO_TIME;
    if (typeof member === "string") {
      return member === "truncated"
        ? caveat("truncated", "The tar ends within a member.")
        : caveat("damaged", "A header of the tar makes no sense.");
    }
    if (--budget.entries < 0) return tooMany(budget);
    if (budget.entries % PEEKS_IN_A_ROW === 0) await breathe();
    const found = await lookIntoMember(member, depth, budget);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function lookIntoMail(content: Uint8Array, depth: number, budget: Budget): Promise<Caveat | undefined> {
  if (depth > budget.limits.depth) return tooDeep(budget);
  for (const part of mailParts(content)) {
    if (budget.signal?.aborted === true) return NO_TIME;
    if (--budget.entries < 0) return tooMany(budget);
    if (part.length > budget.bytes) return tooMuch(budget);
    budget.bytes -= part.length;
    if (budget.entries % PEEKS_IN_A_ROW === 0) await breathe();
    const found = await lookIntoMember(part, depth, budget);
    if (found !== undefined) return found;
  }
  return undefined;
}
