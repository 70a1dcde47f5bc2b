/** What a text is, when it opens in a way that nothing else does. */

/** Tried in order against the text without leading blanks; the first that matches says what it is. */
const OPENINGS: readonly (readonly [type: string, opening: RegExp])[] = [
  ["image/svg+xml", /^(?:<\?xml[^>]{0,200}>\s{0,80})?(?:<!--[^>]{0,400}-->\s{0,80})?<svg\b/i],
  ["text/html", /^(?:<\?xml[^>]{0,200}>\s{0,80})?<(?:!doctype\s+html|html|head|body|script|iframe|meta)\b/i],
  ["application/rtf", /^\{\\rt/],
];

/** `undefined` for text that does not say what it is. */
export function openingType(text: string): string | undefined {
  const opening = text.trimStart().slice(0, 2048);
  return OPENINGS.find(([, pattern]) => pattern.test(opening))?.[0];
}
