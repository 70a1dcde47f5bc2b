/**
 * What has to be known of a rule file before an engine reads it: its rules by name, and what it includes. Only as much
 * of the language is understood as tells code from comments, texts and regular expressions; whether it is right is the
 * engine's to say.
 */

interface RuleName {
  readonly name: string;
  /** A condition on all other rules of its file rather than a finding. */
  readonly global: boolean;
}

/** A part of the text that an engine reads by itself: a rule with its modifiers, an import, an include. */
interface Statement {
  readonly kind: "rule" | "import" | "include";
  /** Offset of its first letter. It ends where the next begins. */
  readonly start: number;
}

/** A pattern of a rule that is a regular expression. */
interface Expression {
  readonly rule: string;
  /** With its slashes. */
  readonly text: string;
  readonly start: number;
}

interface Include {
  /** As written, between the quotes. */
  readonly path: string;
  /** Offsets of the whole statement, the second behind its end. */
  readonly start: number;
  readonly end: number;
}

export interface Outline {
  readonly rules: readonly RuleName[];
  readonly includes: readonly Include[];
  readonly statements: readonly Statement[];
  readonly expressions: readonly Expression[];
}

/** YARA divides with a backslash, so a slash begins a comment or a regular expression and nothing else. */
const TOKEN =
  /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|\/(?:\\.|[^\\/\n])+\/|[$#@!]\w*|\w+|[^\s\w]/g;
const COMMENT = /^\/[/*]/;

interface Token {
  readonly word: string;
  readonly start: number;
}

/** Without comments. */
function* tokensOf(text: string): Generator<Token> {
  for (const { 0: word, index: start } of text.matchAll(TOKEN))
    if (!COMMENT.test(word)) yield { word, start };
}

export function outlineOf(text: string): Outline {
  const rules: RuleName[] = [];
  const includes: Include[] = [];
  const statements: Statement[] = [];
  const expressions: Expression[] = [];
  /** `global` and `private` in front of this token. */
  let modifiers: Token[] = [];
  let before: Token = { word: "", start: 0 };
  for (const token of tokensOf(text)) {
    const { word, start } = token;
    if (before.word === "rule" && /^[A-Za-z_]/.test(word)) {
      rules.push({ name: word, global: modifiers.some((modifier) => modifier.word === "global") });
      statements.push({ kind: "rule", start: (modifiers[0] ?? before).start });
    } else if (before.word === "include" && word.startsWith('"')) {
      includes.push({ path: word.slice(1, -1), start: before.start, end: start + word.length });
      statements.push({ kind: "include", start: before.start });
    } else if (before.word === "import" && word.startsWith('"')) {
      statements.push({ kind: "import", start: before.start });
    } else if (before.word === "=" && word.length > 1 && word.startsWith("/")) {
      expressions.push({ rule: rules.at(-1)?.name ?? "", text: word, start });
    }
    if (word === "global" || word === "private") modifiers.push(token);
    else if (word !== "rule") modifiers = [];
    before = token;
  }
  return { rules, includes, statements, expressions };
}
