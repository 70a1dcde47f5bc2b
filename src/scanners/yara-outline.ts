/**
 * What has to be known of a rule file before an engine reads it: its rules by name, and what it includes. Only as much
 * of the language is understood as tells code from comments, texts and regular expressions; whether it is right is the
 * engine's to say.
 */

export interface RuleName {
  readonly name: string;
  /** A condition on all other rules of its file rather than a finding. */
  readonly global: boolean;
}

export interface Include {
  /** As written, between the quotes. */
  readonly path: string;
  /** Offsets of the whole statement, the second behind its end. */
  readonly start: number;
  readonly end: number;
}

export interface Outline {
  readonly rules: readonly RuleName[];
  readonly includes: readonly Include[];
}

/** YARA divides with a backslash, so a slash begins a comment or a regular expression and nothing else. */
const TOKEN =
  /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|\/(?:\\.|[^\\/\n])+\/|[$#@!]\w*|\w+|[^\s\w]/g;
const COMMENT = /^\/[/*]/;

export function outlineOf(text: string): Outline {
  const rules: RuleName[] = [];
  const includes: Include[] = [];
  /** The tokens before this one. */
  let modifiers: string[] = [];
  let before: { readonly word: string; readonly start: number } | undefined;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (COMMENT.test(token)) continue;
    if (before?.word === "rule" && /^[A-Za-z_]/.test(token)) {
      rules.push({ name: token, global: modifiers.includes("global") });
    } else if (before?.word === "include" && token.startsWith('"')) {
      includes.push({ path: token.slice(1, -1), start: before.start, end: index + token.length });
    }
    if (token === "global" || token === "private") modifiers.push(token);
    else if (token !== "rule") modifiers = [];
    before = { word: token, start: index };
  }
  return { rules, includes };
}
