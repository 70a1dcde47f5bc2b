/** PHP: whatever stands outside of its tags is sent as it is, so they may be anywhere, behind a picture too. */

export const PHP_TYPE = "text/x-php";

const TAG =
  /<\?(?:php(?=[\s/]|$)|=|(?=[\s@$])|(?=(?:eval|echo|include|require|system|exec|passthru|if|for|function)\b))/gi;
const SCRIPT_TAG = /<script\s[^>]{0,100}\blanguage\s{0,8}=\s{0,8}["']?php\b/i;
/** Behind a short tag, which is also that of other instructions, something that only PHP has. */
const CODE =
  /^\s{0,8}\w{2,40}\s{0,8}\(|[$@]\w|\b(?:eval|echo|print|include|require|system|exec|passthru|assert|function|if|foreach|die)\b\s{0,8}[("'$]|`/i;
const NEAR = 200;
const MOST_TAGS = 500;
/** `Class<? extends Base>`: a blank behind the sign, a name before it. */
const GENERIC = /[\w,]/;
/** A tag within quotes is that of a program which writes or reads PHP, one in a fence that of a document about it. */
const MARKUP = /^\s*</;
const QUOTES = new Set(["'", '"', "`", "\\", "/", "("]);
const FENCE = /^(?:```|~~~|\s{0,3}\.\. code|\s*<code>|\s*<pre>)/;

const opensAttribute = (text: string, at: number): boolean =>
  MARKUP.test(text.slice(0, NEAR)) && ATTRIBUTE.test(text.slice(Math.max(0, at - NEAR), at));

/** Whether a text, or bytes of anything else one character each, hold PHP. */
export function holdsPhp(text: string): boolean {
  if (SCRIPT_TAG.test(text)) return true;
  let count = 0;
  for (const { 0: tag, index } of text.matchAll(TAG)) {
    if (++count > MOST_TAGS) return false;
    if (index > 0 && QUOTES.has(text[index - 1]!) && !opensAttribute(text, index)) continue;
    if (tag === "<?" && index > 0 && GENERIC.test(text[index - 1]!)) continue;
    if (tag.length < 5 && !CODE.test(text.slice(index + 2, index + NEAR))) continue;
    if (!isFenced(text, index)) return true;
  }
  return false;
}

/** `<a href="<?php ...`: a page's own text, where the quotes are those of its markup. */
const ATTRIBUTE = /<[a-z][^<>]{0,200}=\s{0,8}["']$/i;

/** The line before begins an example. */
function isFenced(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 2 * NEAR), at);
  const line = before.lastIndexOf("\n");
  return line > 0 && FENCE.test(before.slice(before.lastIndexOf("\n", line - 1) + 1, line));
}
