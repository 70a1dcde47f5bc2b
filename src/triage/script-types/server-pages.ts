/** Pages with sections `<% %>`: of ASP, ASP.NET and JSP. Templates of Ruby and JavaScript have them too, and no words of these. */
import { scriptTags, sections, typeOfLanguage } from "./tags.ts";
import { readTokens } from "./vocabulary/tokens.ts";
import { compileLexicon, scoreTokens } from "./vocabulary/vocabulary.ts";

export const ASP_TYPE = "text/asp";
export const ASP_NET_TYPE = "text/aspdotnet";
export const JSP_TYPE = "text/x-jsp";

const LEXICON = compileLexicon([
  {
    type: ASP_TYPE,
    phrases: [
      [
        4,
        [
          "response . write|redirect|end|buffer|binarywrite|charset|expires|addheader|contenttype",
          "request ( \"|'",
          "request . form|querystring|servervariables|totalbytes|binaryread|cookies",
          "server . createobject|mappath|htmlencode|urlencode|scripttimeout|execute|transfer",
          "eval request",
          "execute request",
          "executeglobal",
          "createobject (",
          "session . abandon|timeout|codepage|lcid",
          "application . lock",
          'session|application ( "',
          "for <word> = <number> to",
        ],
      ],
      [
        2,
        [
          "^ end if|sub|function",
          "^ option explicit",
          "^ dim <word>",
          "^ set <word> =",
          "execute (",
          "then <end>",
        ],
      ],
      [-4, ["request . getparameter", "namespace =", "string <word> =", "autoeventwireup"]],
    ],
  },
  {
    type: ASP_NET_TYPE,
    phrases: [
      [
        5,
        [
          "@ page language",
          "@ page title",
          "@ control language",
          "@ webhandler",
          "@ webservice",
          "@ master language",
          "@ register <word>",
          "@ application codebehind|inherits|language",
          "@ import namespace",
          "@ assembly name",
          "language = \"|' c|vb",
          "autoeventwireup",
          "codebehind|codefile",
          "httpcontext . current",
          "request . item",
        ],
      ],
      [-6, ["language = \"|' java \"|'", "contenttype =", "pageencoding ="]],
    ],
  },
  {
    type: JSP_TYPE,
    phrases: [
      [
        5,
        [
          "@ page import|contenttype|pageencoding|session|iserrorpage|errorpage|buffer|extends|iselignored|trimdirectivewhitespaces",
          "language = \"|' java \"|'",
          "contenttype = \"|'",
          "@ taglib uri|prefix|tagdir",
          "@ tag <word>",
          "@ include file =",
          "@ attribute name",
          "@ variable name",
          "request . getparameter|getsession|getattribute|getcontextpath|getrequesturi|getheader|getinputstream",
          "session . getattribute|setattribute",
          "runtime . getruntime",
          "new java . <word>",
          "import = \"|' java",
          "processbuilder (",
          "class . forname (",
          "out . print|println|flush",
          "pagecontext . <word>",
        ],
      ],
      [
        3,
        [
          "string <word> =",
          "int <word> =",
          "throws <word>",
          "public <word>",
          "new <word> ( <word> . <word> (",
          "classloader",
          "system . getproperty|out",
        ],
      ],
    ],
  },
]);
const LEAST = 4;

/** MIME types of the page, with that of its language; none for what is no such page. */
export function serverPages(text: string): readonly string[] {
  const code: string[] = [];
  for (const section of sections(text, "<%", "%>")) code.push(section.code);
  const onServer = scriptTags(text).find(({ onServer }) => onServer);
  if (code.length === 0 && onServer === undefined && !JSP_TAG.test(text)) return [];
  if (JSP_TAG.test(text)) return [JSP_TYPE];
  const { byType } = scoreTokens(LEXICON, readTokens(code.join("\n")));
  const [best] = [...byType].filter(([, score]) => score >= LEAST).toSorted(([, a], [, b]) => b - a);
  if (best === undefined && code.some((section) => /^(?:--|!)/.test(section))) return [JSP_TYPE];
  if (best === undefined && SERVER_INCLUDE.test(text))
    return code.length === 0 ? [] : [ASP_TYPE, "text/vbscript"];
  if (best !== undefined) return best[0] === ASP_TYPE ? [ASP_TYPE, languageOfAsp(text, code)] : [best[0]];
  return onServer === undefined ? declared(code) : ofServerScript(onServer.language);
}

const JSP_TAG =
  /<jsp:(?:root|usebean|include|directive|scriptlet|forward|declaration|expression|setproperty)/i;
const SERVER_INCLUDE = /<!--\s{0,8}#include\s{1,8}(?:file|virtual)\s{0,8}=/i;
const ASP_LANGUAGE = /@[^\n@]{0,100}?\blanguage\s{0,8}=\s{0,8}["']?(\w{2,20})/i;

const languageOfAsp = (text: string, code: readonly string[]): string => {
  const declares = code.slice(0, 8).map((section) => ASP_LANGUAGE.exec(section)?.[1]);
  const tags = scriptTags(text).filter(({ onServer }) => onServer);
  const named = declares.find((language) => language !== undefined) ?? tags[0]?.language;
  return typeOfLanguage((named ?? "vbscript").toLowerCase()) ?? "text/vbscript";
};

/** A page that says its language and does little else. */
function declared(code: readonly string[]): readonly string[] {
  const [language] = code.slice(0, 8).flatMap((section) => ASP_LANGUAGE.exec(section)?.[1] ?? []);
  return language === undefined ? [] : ofServerScript(language.toLowerCase());
}

function ofServerScript(language: string): readonly string[] {
  const type = typeOfLanguage(language);
  if (type !== undefined) return [ASP_TYPE, type];
  return /^(?:c#|cs|csharp|vb)$/.test(language) ? [ASP_NET_TYPE] : [];
}
