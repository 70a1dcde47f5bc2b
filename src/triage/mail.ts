/** What a mail carries: its parts in base64, those of the mails in it too. Sources: RFC 5322, RFC 2045. */

const BEGINNING =
  /^(?:from .*\r?\n)?(?:received|return-path|delivered-to|mime-version|message-id|from|to|cc|subject|date|sender|reply-to|content-[a-z-]{1,40}|dkim-signature|(?:x|arc|list)-[\w-]{1,60}):[ \t]/i;
const ENCODED = /^content-transfer-encoding:\s*"?base64\b/gim;
const END_OF_HEADERS = /\n\r?\n/g;

/** By its first kilobyte, one character a byte. */
export const isMail = (head: string): boolean => BEGINNING.test(head);

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
