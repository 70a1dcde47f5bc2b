/**
 * Settings whose value is a phrase of four words: DECISION FIELD COMPARISON VALUE. On the command line it is four words
 * behind the flag, as today's engines have it, or one word that holds all four; a variable holds several, separated by
 * ";". As text, a phrase is its words with blanks between; VALUE is all that follows the third. A FIELD or VALUE that
 * begins with a double quote is read as a JSON string, so that any text can be written, ";" included.
 */
export const PHRASE_WORDS = 4;
/** As much of a table of settings as it takes to find the phrases. */
type Flags = Readonly<Record<string, { readonly kind: string; readonly flag: string }>>;

type Phrase = readonly [decision: string, field: string, comparison: string, value: string];

/**
 * The command line with each phrase behind its flag made one word, so that whatever reads it next sees a flag with one
 * value. The words of a phrase may look like options: `--filter reject score < -1`.
 */
export function foldPhrases(argv: readonly string[], tables: readonly Flags[]): readonly string[] {
  const flags = new Set(
    tables
      .flatMap((table) => Object.values(table))
      .filter(({ kind }) => kind === "phrases")
      .map(({ flag }) => `--${flag}`),
  );
  const folded: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    folded.push(word);
    const next = argv[at + 1];
    // A first word with a blank in it holds the whole phrase.
    if (!flags.has(word) || next === undefined || /\s/.test(next)) continue;
    folded.push(writePhrase(argv.slice(at + 1, at + 1 + PHRASE_WORDS)));
    at += PHRASE_WORDS;
  }
  return folded;
}

/** Four words as the text of a phrase; fewer become a text that `readPhrase` refuses. */
export function writePhrase(words: readonly string[]): string {
  if (words.length < PHRASE_WORDS) return words.join(" ");
  const [decision = "", field = "", comparison = "", value = ""] = words;
  const blank = /\s/.test(field) || field.startsWith('"') || field === "";
  const edges = value.trim() !== value || value.startsWith('"') || value === "";
  return [
    decision,
    blank ? JSON.stringify(field) : field,
    comparison,
    edges ? JSON.stringify(value) : value,
  ].join(" ");
}

/** The words of a phrase, or `undefined` for a text that is none. */
export function parsePhrase(text: string): Phrase | undefined {
  const [, decision, field, comparison, value] =
    /^\s*(\S+)\s+("(?:[^"\\]|\\.)*"|\S+)\s+(\S+)\s+(\S.*?)\s*$/s.exec(text) ?? [];
  if (decision === undefined || comparison === undefined) return undefined;
  const [name, wanted] = [plain(field), plain(value)];
  return name === undefined || wanted === undefined ? undefined : [decision, name, comparison, wanted];
}

function plain(text: string | undefined): string | undefined {
  if (!text?.startsWith('"')) return text;
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "string" ? read : undefined;
  } catch {
    return undefined;
  }
}

/** The phrases of a variable: separated by ";" or a line break, except within double quotes. */
export function splitPhrases(text: string): readonly string[] {
  return [...text.matchAll(/(?:(?<=^|\s)"(?:[^"\\]|\\.)*"|[^;\n])+/g)]
    .map(([phrase]) => phrase.trim())
    .filter((phrase) => phrase !== "");
}
