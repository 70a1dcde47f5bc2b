import { signaturesOf } from "./functions.ts";
import { type Measure, none, spread } from "./measure.ts";
import { type Export, exportsOf, type Import, importsOf } from "./modules.ts";
import { graphOf, pairsOf, ringsOf } from "./rings.ts";
import { nameOf, walk } from "./syntax.ts";
import { placeIn, type SourceFile } from "./tree.ts";
import { metaphorsIn, stiltedWordsIn } from "./words.ts";

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 80;
/** A composition root names everything once, in a `main.ts`. */
const MAX_ROOT_LINES = 120;
const MAX_PARAMETERS = 4;
const MAX_FILES = 15;
const MAX_LISTED_FILES = 25;
/** What a loader asks each of many modules for: one name, and one meaning. */
const LOADED_NAMES: ReadonlySet<string> = new Set(["default", "scanner"]);
/** Their files are the items of one list: words of the domain, settings of the commands, backends. */
const LISTS: ReadonlySet<string> = new Set(["domain", "config", "scanners"]);

export interface Around {
  /** What the tests and tools beside the tree take from it, by paths of the tree. */
  readonly imports: readonly Import[];
  /** Files of the tree that others than we import: every name they export is used. */
  readonly entries: readonly string[];
}

/** Everything that is measured of a tree, in the order in which it is told. */
export function measuresOf(tree: readonly SourceFile[], around: Around): readonly Measure[] {
  return [
    ...sizes(tree),
    ...arrows(tree),
    ...signatures(tree),
    ...names(tree, around),
    none("bare-throws", tree.flatMap(bareThrows)),
    none("spreads", tree.flatMap(literalSpreads)),
    none("words", tree.flatMap(stiltedWordsIn)),
    none("metaphors", tree.flatMap(metaphorsIn)),
  ];
}

function sizes(tree: readonly SourceFile[]): readonly Measure[] {
  const lengths = tree.map(({ lines }) => lines.length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const byFolder = Map.groupBy(tree, ({ folder }) => folder);
  const folders = [...byFolder].map(([folder, { length }]) => ({ folder, files: length }));
  const tooFull = folders
    .filter(({ folder, files }) => files > (LISTS.has(folder) ? MAX_LISTED_FILES : MAX_FILES))
    .toSorted((a, b) => b.files - a.files);
  return [
    { name: "files", figures: String(tree.length), goal: undefined, offenders: [] },
    { name: "lines", figures: String(total), goal: undefined, offenders: [] },
    {
      name: "file-lines",
      figures: spread(lengths),
      goal: `at most ${MAX_FILE_LINES}`,
      offenders: tree
        .filter(({ lines }) => lines.length > MAX_FILE_LINES)
        .map(({ path, lines }) => `${path} ${lines.length}`),
    },
    {
      name: "folders",
      figures: `${byFolder.size}, ${spread(folders.map(({ files }) => files))} files`,
      goal: `at most ${MAX_FILES} files, ${MAX_LISTED_FILES} in a list`,
      offenders: tooFull.map(({ folder, files }) => `${folder} ${files}`),
    },
  ];
}

function arrows(tree: readonly SourceFile[]): readonly Measure[] {
  const paths = new Map(tree.map(({ path, folder }) => [path, folder]));
  const inside = tree.flatMap(importsOf).filter(({ to }) => paths.has(to));
  const files = graphOf(inside.map(({ from, to }) => [from, to]));
  const folders = graphOf(inside.map(({ from, to }) => [paths.get(from)!, paths.get(to)!]));
  const example = (a: string, b: string): string => {
    const one = inside.find(({ from, to }) => paths.get(from) === a && paths.get(to) === b);
    return `${one?.from} > ${one?.to}`;
  };
  return [
    none(
      "cycles",
      ringsOf(files).map((ring) => ring.join(", ")),
    ),
    none(
      "two-way-folders",
      pairsOf(folders).map(([a, b]) => `${a} <> ${b}: ${example(a, b)}; ${example(b, a)}`),
    ),
    none(
      "folder-cycles",
      ringsOf(folders).map((ring) => ring.join(", ")),
    ),
  ];
}

function signatures(tree: readonly SourceFile[]): readonly Measure[] {
  const all = tree.flatMap(signaturesOf);
  const lengths = all.flatMap(({ lines }) => lines ?? []);
  const most = (path: string): number =>
    /(?:^|\/)main\.ts$/.test(path) ? MAX_ROOT_LINES : MAX_FUNCTION_LINES;
  return [
    {
      name: "function-lines",
      figures: `${lengths.length}, ${spread(lengths)}`,
      goal: `at most ${MAX_FUNCTION_LINES}, ${MAX_ROOT_LINES} in a main.ts`,
      offenders: all
        .filter(({ path, lines = 0 }) => lines > most(path))
        .map(({ place, name, lines }) => `${place} ${name} ${lines}`),
    },
    none(
      "wide-signatures",
      all
        .filter(({ parameters }) => parameters > MAX_PARAMETERS)
        .map(({ place, name, parameters }) => `${place} ${name} ${parameters}`),
    ),
    none(
      "boolean-parameters",
      all
        .filter(({ flags }) => flags.length > 0)
        .map(({ place, name, flags }) => `${place} ${name} (${flags.join(", ")})`),
    ),
  ];
}

function names(tree: readonly SourceFile[], around: Around): readonly Measure[] {
  const exported = tree.flatMap(exportsOf);
  const declared = Map.groupBy(
    exported.filter(({ passedOn, name }) => !passedOn && !LOADED_NAMES.has(name)),
    ({ name }) => name,
  );
  const ambiguous = [...declared].filter(([, { length }]) => length > 1);
  const own = tree.flatMap(importsOf);
  const unused = (imports: readonly Import[]): readonly string[] => {
    const isUsed = usedBy(imports);
    return exported
      .filter((it) => !around.entries.includes(it.path) && !LOADED_NAMES.has(it.name) && !isUsed(it))
      .map(({ path, name }) => `${path} ${name}`);
  };
  const unusedInTree = unused(own);
  return [
    none(
      "ambiguous-names",
      ambiguous
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, places]) => `${name}: ${places.map(({ path }) => path).join(", ")}`),
    ),
    none("unimported", unusedInTree),
    none("unimported-anywhere", unused([...own, ...around.imports])),
  ];
}

function usedBy(imports: readonly Import[]): (exported: Export) => boolean {
  const whole = new Set(imports.filter(({ names }) => names === "all").map(({ to }) => to));
  const single = new Set(
    imports.flatMap(({ to, names }) => (names === "all" ? [] : names.map((name) => `${to} ${name}`))),
  );
  return ({ path, name }) => whole.has(path) || single.has(`${path} ${name}`);
}

const bareThrows = (file: SourceFile): readonly string[] =>
  [...walk(file.syntax)].flatMap(([{ type, argument, start }]) => {
    const thrown = type === "ThrowStatement" ? (argument as { type?: string; callee?: unknown }) : undefined;
    return thrown?.type === "NewExpression" && nameOf(thrown.callee) === "Error" ? placeIn(file, start) : [];
  });

/** `...{ a, b }`: what is spread is written there. */
const literalSpreads = (file: SourceFile): readonly string[] =>
  [...walk(file.syntax)].flatMap(([{ type, argument, start }]) => {
    const isLiteral = type === "SpreadElement" && (argument as { type?: string }).type === "ObjectExpression";
    return isLiteral ? placeIn(file, start) : [];
  });
