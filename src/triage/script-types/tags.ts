/** Tags and code sections in text that is marked up: what a server or the script host runs between all the rest. */

/** Sections looked at; what a page does shows in the first ones. */
const MOST_SECTIONS = 200;
const LONGEST_SECTION = 4000;

/** What stands between `open` and `close`, or behind an `open` that is not closed. In one pass. */
export function* sections(
  text: string,
  open: string,
  close: string,
): Generator<{ at: number; code: string }> {
  let at = text.indexOf(open);
  for (let count = 0; at !== -1 && count < MOST_SECTIONS; count++) {
    const start = at + open.length;
    const near = text.slice(start, start + LONGEST_SECTION);
    const end = near.indexOf(close);
    yield { at, code: end === -1 ? near : near.slice(0, end) };
    // No part is in two sections: all together they are no longer than the text.
    at = text.indexOf(open, start + (end === -1 ? near.length : end));
  }
}

const SCRIPT_TAG = /<script\b([^>]{0,400})/gi;
const LANGUAGE = /\b(?:language|type)\s{0,8}=\s{0,8}(?:"([^"]{1,60})"|'([^']{1,60})'|([^\s"'>]{1,60}))/i;

interface ScriptTag {
  /** Lower case, without `text/` and the like: `vbscript`, `jscript.encode`, `c#`; empty when it does not say. */
  readonly language: string;
  readonly onServer: boolean;
}

export function scriptTags(text: string): readonly ScriptTag[] {
  const tags: ScriptTag[] = [];
  for (const [, attributes = ""] of text.matchAll(SCRIPT_TAG)) {
    if (tags.length >= MOST_SECTIONS) break;
    const found = LANGUAGE.exec(attributes);
    const language = (found?.[1] ?? found?.[2] ?? found?.[3] ?? "")
      .toLowerCase()
      .replace(/^(?:text|application)\/(?:x-)?/, "");
    tags.push({ language, onServer: /\brunat\s{0,8}=/i.test(attributes) });
  }
  return tags;
}

/** MIME type of the language of a script tag; `undefined` for what no script host runs. */
export function typeOfLanguage(language: string): string | undefined {
  const bare = language.replace(/\.encode$/, "");
  if (bare === "vbs" || bare === "vbscript") return "text/vbscript";
  if (/^(?:jscript|javascript|ecmascript|livescript|js)[\d.]*$/.test(bare)) return "application/javascript";
  if (bare === "php") return "text/x-php";
  if (/^python/.test(bare)) return "text/x-python";
  return /^perl/.test(bare) ? "text/x-perl" : undefined;
}
