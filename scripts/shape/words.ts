import { nameOf, walk } from "./syntax.ts";
import { placeIn, type SourceFile } from "./tree.ts";

/** Words of inverted or stilted clauses. */
const STILTED = /\b(?:whoever|nobody|somebody|anybody|lest)\b/gi;

/**
 * Metaphors, wherever they stand; `"book"` is what a stream of an old workbook is called, and `thin-purse` a reason that
 * ledgers hold already.
 */
const METAPHORS =
  /\b(?:desks?|errands?|chas(?:e[sd]?|ing)|(?<!thin )purses?|judg(?:es?|ed|ing)|look backs?|own time|gates?|once a block|(?<!")books?)\b/gi;
/** The published contract of distillations calls its method `judge`: so must those who read and call it. */
const CONTRACT_FILES = /^distill\/(?:contract|checked|load)\.ts$/;
const CONTRACT_METHOD = /\bjudge\b/g;
/** Good English as words of a sentence, and no names of things. */
const METAPHOR_NAMES = /\b(?:counted|hand(?:s|ed|ing)? ?over)\b/gi;

export const stiltedWordsIn = (file: SourceFile): readonly string[] => inText(file, STILTED, (line) => line);

/** In comments and messages, in names of things, and in the file's own path. */
export function metaphorsIn(file: SourceFile): readonly string[] {
  const inContract = CONTRACT_FILES.test(file.path);
  const inProse = inText(file, METAPHORS, (line) =>
    (inContract ? line.replace(CONTRACT_METHOD, "") : line).replace(/[-/]/g, " "),
  );
  const names = new Map<string, number>();
  for (const [node] of walk(file.syntax)) {
    const name = node.type.endsWith("Identifier") ? nameOf(node) : undefined;
    if (name !== undefined && !names.has(name)) names.set(name, node.start);
  }
  const inNames = [...names].flatMap(([name, at]) => {
    const plain = wordsOf(name);
    // A name of one word is found as a word of the text.
    const found = [
      ...plain.matchAll(METAPHOR_NAMES),
      ...(plain.includes(" ") ? plain.matchAll(METAPHORS) : []),
    ];
    return found.map(([word]) => `${placeIn(file, at)} ${word} (${name})`);
  });
  const path = wordsOf(file.path.replace(/\.ts$/, ""));
  const inPath = [...path.matchAll(METAPHOR_NAMES), ...path.matchAll(METAPHORS)];
  return [...inPath.map(([word]) => `${file.path} ${word} (the file)`), ...inNames, ...inProse];
}

function inText(file: SourceFile, words: RegExp, read: (line: string) => string): readonly string[] {
  return file.lines.flatMap((line, index) =>
    [...read(line).matchAll(words)].map(([word]) => `${file.path}:${index + 1} ${word}`),
  );
}

/** `revealAssertion/look-back` as words. */
const wordsOf = (name: string): string =>
  name
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ")
    .replace(/[^A-Za-z0-9]+/g, " ")
    .trim()
    .toLowerCase();
