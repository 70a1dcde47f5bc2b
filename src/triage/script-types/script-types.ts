/**
 * What a text is to a program that runs it: scripts and pages by their first line, their markup or their vocabulary,
 * whatever comments stand before. Scripts have no magic numbers, and the name of an artifact is a stranger's word.
 */
import { languagesOf } from "./languages.ts";
import { openingType } from "./openings.ts";
import { holdsPhp, PHP_TYPE } from "./php.ts";
import { ASP_NET_TYPE, ASP_TYPE, JSP_TYPE, serverPages } from "./server-pages.ts";
import { shebangType } from "./shebang.ts";
import { HTA_TYPE, windowsMarkup } from "./windows-markup.ts";

/** Scripts of VBScript or JScript under the encoder of Windows. Only the file's name says which. */
const ENCODED_TYPE = "application/x-encoded-script";
const ENCODED = /#@~\^[A-Za-z0-9+/]{6}==/;

/** Of the text: what is looked at takes 20 ms of CPU at most. */
const MOST_CHARACTERS = 96 * 1024;
/** Markup, data and mails: their texts may show any language. */
const NO_SCRIPT = /^\s{0,1000}(?:<[!?%a-z]|\{\s{0,1000}["}]|\[\s{0,1000}[[{"\d]|\{\\rt)/i;

/** Programs of JavaScript that are written without a letter. */
const SIGNS_ONLY = /^[\s[\]()!+]{200}/;

/** MIME types, most specific first; empty for text that does not say what it is. The work is in proportion to the text. */
export function scriptTypes(text: string): readonly string[] {
  const shown = text.slice(0, MOST_CHARACTERS);
  const shebang = shebangType(shown);
  const encoded = ENCODED.test(shown) ? [ENCODED_TYPE, "text/vbscript", "application/javascript"] : [];
  const php = holdsPhp(shown) ? [PHP_TYPE] : [];
  const pages = php.length > 0 || !shown.includes("<") ? [] : serverPages(shown);
  // What a server runs makes objects of its own machine.
  const markup = pages.length === 0 && shown.includes("<") ? windowsMarkup(shown) : [];
  const opening = openingType(shown);
  const known = [...(shebang === undefined ? [] : [shebang]), ...encoded, ...php, ...pages, ...markup];
  const plain = known.length === 0 && opening === undefined && !NO_SCRIPT.test(shown);
  const languages = SIGNS_ONLY.test(shown) ? ["application/javascript"] : plain ? languagesOf(shown) : [];
  return [...new Set([...known, ...(opening === undefined ? [] : [opening]), ...languages])];
}

/** Scripts that stand in anything else, such as behind the header of a picture: their tags are enough for a server. */
export function scriptsWithin(content: string): readonly string[] {
  if (!content.includes("<")) return [];
  const php = holdsPhp(content) ? [PHP_TYPE] : [];
  return [...php, ...(php.length > 0 ? [] : serverPages(content)), ...windowsMarkup(content)];
}

const BY_TAG: readonly string[] = [PHP_TYPE, ASP_TYPE, ASP_NET_TYPE, JSP_TYPE, HTA_TYPE];

/** Whether it is known by its tags alone, whatever stands before them. */
export const isFoundByTag = (type: string): boolean => BY_TAG.includes(type);
