/** The encryption dictionaries of a PDF, as far as they are written in the usual way. Source: ISO 32000-1 7.3, 7.5, 7.6. */

export interface PdfEncryption {
  readonly revision: number;
  readonly owner: Buffer;
  readonly user: Buffer;
  readonly permissions: number;
  /** The first of the two identifiers in the trailer; empty for none. */
  readonly fileId: Buffer;
  readonly keyBytes: number;
  /** Whether its metadata is encrypted as well. */
  readonly metadata: boolean;
}

/** `/Encrypt`; any letter of a name may be written as the number that it is. */
const ENCRYPT = /\/(?:E|#45)(?:n|#6[eE])(?:c|#63)(?:r|#72)(?:y|#79)(?:p|#70)(?:t|#74)(?![A-Za-z])/g;
const REFERENCE = /^\s{0,20}(\d{1,10})\s{1,20}(\d{1,5})\s{1,20}R\b/;
const INLINE = /^\s{0,20}<</;
/** Of a dictionary, and how many are looked at. */
const DICTIONARY_CHARACTERS = 4096;
const MOST_DICTIONARIES = 8;
const MOST_MENTIONS = 1000;

/**
 * Every encryption that the PDF (one character a byte) tells of; `unreadable` stands for one that cannot be found or
 * read here. Empty for a PDF that is not encrypted. The work grows with the PDF and no faster.
 */
export function readEncryptions(pdf: string): readonly (PdfEncryption | "unreadable")[] {
  const found = new Map<string, PdfEncryption | "unreadable">();
  const fileId = readFileId(pdf);
  let mentions = 0;
  for (const { 0: name, index } of pdf.matchAll(ENCRYPT)) {
    if (++mentions > MOST_MENTIONS) return ["unreadable"];
    const behind = pdf.slice(index + name.length, index + name.length + DICTIONARY_CHARACTERS);
    const [reference, number, generation] = REFERENCE.exec(behind) ?? [];
    const key = reference === undefined ? "inline" : `${number} ${generation}`;
    if (found.has(key)) continue;
    if (found.size >= MOST_DICTIONARIES) return ["unreadable"];
    const text = reference === undefined ? (INLINE.test(behind) ? behind : undefined) : objectOf(pdf, key);
    found.set(key, text === undefined ? "unreadable" : (readDictionary(text, fileId) ?? "unreadable"));
  }
  return [...found.values()];
}

/** The last object of that number is the one that counts. */
function objectOf(pdf: string, key: string): string | undefined {
  const at = pdf.lastIndexOf(`\n${key} obj`);
  const other = at === -1 ? pdf.lastIndexOf(`\r${key} obj`) : at;
  if (other === -1) return undefined;
  const text = pdf.slice(other, other + DICTIONARY_CHARACTERS);
  const end = text.indexOf("endobj");
  return end === -1 ? text : text.slice(0, end);
}

function readDictionary(text: string, fileId: Buffer): PdfEncryption | undefined {
  if (!/\/Filter\s{0,20}\/Standard\b/.test(text)) return undefined;
  const revision = numberAt(text, "R");
  const permissions = numberAt(text, "P");
  const owner = stringAt(text, "O");
  const user = stringAt(text, "U");
  if (revision === undefined || permissions === undefined || owner === undefined || user === undefined)
    return undefined;
  const bits = numberAt(text, "Length");
  // The length of a key is in bits, 128 where a crypt filter counts in bytes.
  const keyBytes = revision >= 4 ? 16 : (bits ?? 40) / 8;
  if (!Number.isInteger(keyBytes) || keyBytes < 5 || keyBytes > 16)
    return revision >= 5 ? { ...NONE, revision, owner, user, permissions, fileId } : undefined;
  return {
    revision,
    owner,
    user,
    permissions,
    fileId,
    keyBytes,
    metadata: !/\/EncryptMetadata\s{1,20}false\b/.test(text),
  };
}
const NONE = { keyBytes: 16, metadata: true };

function numberAt(text: string, name: string): number | undefined {
  const found = new RegExp(`/${name}\\s{1,20}(-?\\d{1,10})\\b`).exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

function stringAt(text: string, name: string): Buffer | undefined {
  const found = new RegExp(`/${name}\\s{0,20}(?=[(<])`).exec(text);
  return found === null ? undefined : readString(text, found.index + found[0].length);
}

/** `[<...> <...>]` behind `/ID`; the last that the PDF has. */
function readFileId(pdf: string): Buffer {
  const at = pdf.lastIndexOf("/ID");
  const found = at === -1 ? null : /^\/ID\s{0,20}\[\s{0,20}/.exec(pdf.slice(at, at + 100));
  const id = found === null ? undefined : readString(pdf.slice(at, at + 1000), found[0].length);
  return id ?? Buffer.alloc(0);
}

function readString(text: string, at: number): Buffer | undefined {
  if (text[at] === "<") {
    const end = text.indexOf(">", at);
    const digits = end === -1 ? "" : text.slice(at + 1, end).replaceAll(/\s/g, "");
    return /^[\da-f]*$/i.test(digits) && end !== -1
      ? Buffer.from(digits.padEnd(digits.length + (digits.length % 2), "0"), "hex")
      : undefined;
  }
  return text[at] === "(" ? readLiteral(text, at + 1) : undefined;
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, f: 12 };

/** Up to the bracket that closes it; brackets within it come in pairs. */
function readLiteral(text: string, from: number): Buffer | undefined {
  const bytes: number[] = [];
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    const char = text[at]!;
    if (char === "\\") {
      const octal = /^[0-7]{1,3}/.exec(text.slice(at + 1, at + 4))?.[0];
      const next = text[at + 1] ?? "";
      if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff);
      else if (next !== "\n" && next !== "\r") bytes.push(ESCAPES[next] ?? next.charCodeAt(0));
      at += octal?.length ?? (next === "\r" && text[at + 2] === "\n" ? 2 : 1);
      continue;
    }
    if (char === "(") depth++;
    if (char === ")" && --depth === 0) return Buffer.from(bytes);
    bytes.push(char.charCodeAt(0) & 0xff);
  }
  return undefined;
}
