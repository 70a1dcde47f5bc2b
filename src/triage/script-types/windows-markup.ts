/** Markup that the script hosts of Windows run: applications in HTML, jobs (WSF), scriptlets (SCT), scripts in stylesheets. */
import { scriptTags, typeOfLanguage } from "./tags.ts";

export const HTA_TYPE = "application/hta";
const WSF_TYPE = "application/x-wsf";
const SCRIPTLET_TYPE = "text/scriptlet";

const JOB = /(?:^|\n)[ \t]{0,40}<(?:\?job|job|package)\b/i;
const SCRIPTLET = /<(?:scriptlet|component|registration|implements)\b/i;
const HTA_TAG = /<hta:application\b/i;
const STYLESHEET_SCRIPT =
  /<(?:ms|msxsl|user|xsl):script\b[^>]{0,400}\blanguage\s{0,8}=\s{0,8}["']?(\w{2,20})/i;
const MARKUP = /^\s{0,1000}</;
/** What a page in a browser does not use: programs, files and the registry of the machine. */
const LOCAL_OBJECTS =
  /(?:createobject|activexobject|getobject)\s{0,8}\(\s{0,8}["'](?:wscript\.|scripting\.filesystem|shell\.application|adodb\.stream|winmgmts:|schedule\.service|shell\.explorer|script:|new:)/i;
const WINDOW_OF_HTA = /\b(?:window|self|me)\.(?:resizeto|moveto|close)\b/i;

/** Where a text is cut into pieces, so that a search does not find it: `"WScr" + "ipt.Shell"`. */
const SEAM = /(["'])\s{0,8}[+&]\s{0,8}\1/g;

/** MIME types, most specific first, with those of the languages in it. */
export function windowsMarkup(text: string): readonly string[] {
  const stylesheet = STYLESHEET_SCRIPT.exec(text)?.[1];
  if (stylesheet !== undefined) return present(typeOfLanguage(stylesheet.toLowerCase()));
  const tags = scriptTags(text);
  if (tags.length === 0) return HTA_TAG.test(text) ? [HTA_TYPE] : [];
  const languages = tags.flatMap(({ language }) => present(typeOfLanguage(language)));
  if (MARKUP.test(text) || JOB.test(text)) {
    const stated = tags.filter(({ language }) => language !== "");
    if (
      stated.length > 0 &&
      SCRIPTLET.test(text) &&
      /<(?:registration|public|scriptlet|package)\b/i.test(text)
    )
      return [SCRIPTLET_TYPE, ...languages];
    if (stated.length > 0 && languages.length > 0 && /<\??job\b/i.test(text) && !/<html\b/i.test(text))
      return [WSF_TYPE, ...languages];
  }
  const inVbscript = languages.includes("text/vbscript");
  const isApplication =
    HTA_TAG.test(text) ||
    LOCAL_OBJECTS.test(text.replace(SEAM, "")) ||
    (inVbscript && WINDOW_OF_HTA.test(text));
  const shown = isApplication ? (languages.length > 0 ? languages : ["application/javascript"]) : [];
  return isApplication ? [HTA_TYPE, ...shown] : inVbscript ? ["text/vbscript"] : [];
}

const present = (type: string | undefined): readonly string[] => (type === undefined ? [] : [type]);
