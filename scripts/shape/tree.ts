import { globSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { parse, type SyntaxNode } from "./syntax.ts";

/** One file of the tree that is measured. */
export interface SourceFile {
  /** Below the root, with forward slashes. */
  readonly path: string;
  /** `.` for the root itself. */
  readonly folder: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly syntax: SyntaxNode;
}

/** All TypeScript files below a folder, in the order of their paths. Throws where one cannot be parsed. */
export function readTree(root: string): readonly SourceFile[] {
  const paths = globSync("**/*.ts", { cwd: root }).map((path) => path.replaceAll("\\", "/"));
  return paths.toSorted().map((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const lines = text.replace(/\n$/, "").split("\n");
    return { path, folder: posix.dirname(path), text, lines, syntax: parse(text) };
  });
}

/** `path:line` of a place in a file. */
export const placeIn = ({ path, text }: SourceFile, at: number): string =>
  `${path}:${text.slice(0, at).split("\n").length}`;

/** Where a relative import leads, as a path of the tree, which may lie outside it (`../x.ts`). */
export const resolveFrom = (path: string, specifier: string): string =>
  posix.normalize(posix.join(dirname(path), specifier));
