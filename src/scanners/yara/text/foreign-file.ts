/** What a file is that was given as YARA rules and is none. Looks at its beginning only. */

/** By their first bytes, in latin-1. */
const SIGNATURES: readonly (readonly [beginning: string, what: string])[] = [
  ["YARA-X\0", "rules that YARA-X has compiled; give the sources they were compiled from"],
  ["YARA", "rules that YARA has compiled; give the sources they were compiled from"],
  ["PK\x03\x04", "a zip archive; unpack it"],
  ["PK\x05\x06", "an empty zip archive"],
  ["\x1f\x8b", "compressed by gzip; unpack it"],
  ["BZh", "compressed by bzip2; unpack it"],
  ["\xfd7zXZ\0", "compressed by xz; unpack it"],
  ["(\xb5/\xfd", "compressed by zstd; unpack it"],
  ["7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it"],
  ["Rar!\x1a\x07", "a RAR archive; unpack it"],
  ["%PDF-", "a PDF document"],
  ["\x7fELF", "an ELF program"],
  ["MZ", "a Windows program"],
  ["SQLite format 3\0", "an SQLite database"],
  ["version https://git-lfs", "a pointer of Git LFS; run `git lfs pull`"],
];

/** In text, behind a byte order mark, comments of its own kind and empty lines. */
const LANGUAGES: readonly (readonly [text: RegExp, what: string])[] = [
  [/^<(?:!doctype\s+html|html|head|body)\b/i, "an HTML page; download the raw file"],
  [/^<\?xml\b|^<[a-z][\w:-]*[\s>]/i, "an XML document"],
  [/^(?:\{\s*(?:"|\})|\[\s*(?:[[\]{"\d]))/, "JSON"],
  [
    /^(?:alert|drop|pass|reject|rejectsrc|rejectdst|rejectboth|sdrop|log)\s+(?:tcp|udp|icmp|ip|http|tls|dns|smb|ftp|ssh|smtp|file|pkthdr|tcp-pkt|tcp-stream)\S*\s+\S+\s+\S+\s+(?:->|<>)/i,
    "a rule of Suricata or Snort",
  ],
];

/** Sigma is YAML with these keys at the left. */
const isSigma = (text: string): boolean =>
  /^(?:detection|logsource)\s*:/m.test(text) && /^(?:title|id|status|level)\s*:/m.test(text);

/** As much of a file as tells what it is. */
const HEAD_BYTES = 64 * 1024;

/**
 * What the content is, as the end of "it is", when it is no YARA: `undefined` for what may be. Only what cannot be
 * the beginning of a rule file is named.
 */
export function foreignKindOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES));
  const latin = head.toString("latin1");
  const known = SIGNATURES.find(([beginning]) => latin.startsWith(beginning));
  // A name that begins so is text, such as a comment whose slashes were forgotten.
  if (known !== undefined && (known[0] !== "MZ" || latin.includes("\0"))) return known[1];
  if (latin.includes("\0")) return "not text but binary";
  const text = head.toString("utf8").replace(/^\ufeff/, "");
  const begun = text.replace(/^(?:\s+|#[^\n]*(?:\n|$))+/, "");
  const language = LANGUAGES.find(([beginning]) => beginning.test(begun));
  if (language !== undefined) return language[1];
  return isSigma(text) ? "a Sigma rule" : undefined;
}
