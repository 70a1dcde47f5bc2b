/** What a mail carries: its parts in base64, those of the mails in it too. Sources: RFC 5322, RFC 2045. */

/** Of a mail that tell it from other texts with headers, lower case. */
const NAMES = new Set([
  ...[
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "sender",
    "reply-to",
    "in-reply-to",
    "references",
    "message-id",
  ],
  ...[
    "received",
    "received-spf",
    "return-path",
    "delivered-to",
    "envelope-to",
    "mime-version",
    "thread-topic",
  ],
  ...["authentication-results", "dkim-signature", "domainkey-signature", "importance", "content-type"],
  ...["content-transfer-encoding", "content-disposition", "content-language", "thread-index", "user-agent"],
]);
const FAMILIES = /^(?:x|arc|list|resent|content|received|disposition)-/;
/** One of a family may stand in other headers too, and so may these: they say nothing without another. */
const WEAK = new Set(["date", "to", "cc", "importance", "references", "user-agent", "content-language"]);

/** Written by programs alone. */
const TRACES = new Set([
  "received",
  "return-path",
  "delivered-to",
  "message-id",
  "mime-version",
  "dkim-signature",
]);

/** How many bytes of a content decide whether it is a mail: more than the seals of four forwarders. */
export const MAIL_HEAD_BYTES = 16 * 1024;

const LONGEST_LINE = 998;
const HEADER = /^([!-9;-~]{1,76})[ \t]{0,8}:(.?)/;
const MBOX = /^>?From [^\s:]/;
/** What a header alone must say to make a mail: an address, parts, words in another encoding. */
const TELLING = /@|\bmultipart\/|=\?/i;
const BEGINNING = /^(?:\ufeff|\xef\xbb\xbf)?(?:[ \t]{0,80}\r?\n){0,8}/;

/**
 * Whether it begins with the headers of a mail, in whatever order: the lines up to the first blank one are headers or go on
 * with one, and their names are those of mails. One character a byte; the beginning of the content is enough, and a
 * header that is cut off at its end counts.
 */
export function isMail(head: string): boolean {
  let strong = 0;
  let weak = 0;
  let told = false;
  let first = true;
  let traced = false;
  for (const line of linesOf(head.slice(0, MAIL_HEAD_BYTES))) {
    if (line === "") break;
    const isFirst = first;
    first = false;
    if (isFirst && MBOX.test(line)) continue;
    if (!isFirst && /^[ \t]/.test(line)) continue;
    const name = headerOf(line.slice(0, LONGEST_LINE));
    // Mailers go over a line that is no header; a text that begins like one line of a mail is none.
    if (name === undefined) return strong > 1 || traced;
    if (isFirst) traced = TRACES.has(name);
    const isStrong = NAMES.has(name) && !WEAK.has(name);
    if (isStrong) strong++;
    else if (WEAK.has(name) || FAMILIES.test(name)) weak++;
    told ||= isStrong && (TRACES.has(name) || TELLING.test(line));
  }
  return told || strong + weak > 1;
}

/** Its name in lower case; `undefined` for a line that is no header. Those of mails may have no blank behind the colon. */
function headerOf(line: string): string | undefined {
  const [, written, next = ""] = HEADER.exec(line) ?? [];
  const name = written?.toLowerCase();
  if (name === undefined || next.trim() === "") return name;
  return NAMES.has(name) || FAMILIES.test(name) ? name : undefined;
}

/** Without those that open it blank, and without a last one that is cut off within its name. */
function* linesOf(head: string): Generator<string> {
  let at = BEGINNING.exec(head)![0].length;
  for (;;) {
    const end = head.indexOf("\n", at);
    if (end === -1) break;
    yield head.slice(at, end).replace(/\r$/, "");
    at = end + 1;
  }
  const rest = head.slice(at);
  if (rest.includes(":") || at === 0) yield rest;
}

const ENCODED = /^content-transfer-encoding:\s*"?base64\b/gim;
const END_OF_HEADERS = /\n\r?\n/g;

/** What each part holds that is in base64. In one pass, whatever the parts look like. */
export function* mailParts(content: Uint8Array): Generator<Uint8Array> {
  const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString("latin1");
  for (let at = 0; at !== -1; ) {
    const headers = endOf(ENCODED, text, at);
    const start = headers === -1 ? -1 : endOf(END_OF_HEADERS, text, headers);
    if (start === -1) return;
    at = text.indexOf("\n--", start - 1);
    yield Buffer.from(text.slice(start, at === -1 ? undefined : at), "base64");
  }
}

/** Behind the next match from an offset on; -1 when there is none. */
function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}
