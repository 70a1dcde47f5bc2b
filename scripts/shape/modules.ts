import { isNode, nameOf, nodesIn, type SyntaxNode, walk } from "./syntax.ts";
import { resolveFrom, type SourceFile } from "./tree.ts";

/** What one file takes from another. */
export interface Import {
  readonly from: string;
  /** A path below the root, or `../` and more outside it. */
  readonly to: string;
  /** `all` where one cannot say: a namespace, a star, `import()`. */
  readonly names: readonly string[] | "all";
}

export interface Export {
  readonly path: string;
  readonly name: string;
  /** Taken from another file and passed on. */
  readonly passedOn: boolean;
}

export function importsOf({ path, syntax }: SourceFile): readonly Import[] {
  const found: Import[] = [];
  for (const [node] of walk(syntax)) {
    const source = nameOf(node.type === "TSImportType" ? (node.source ?? node.argument) : node.source);
    if (source?.startsWith(".") !== true) continue;
    found.push({ from: path, to: resolveFrom(path, source), names: namesTaken(node) });
  }
  return found;
}

function namesTaken({ type, specifiers }: SyntaxNode): Import["names"] {
  if (type !== "ImportDeclaration" && type !== "ExportNamedDeclaration") return "all";
  const names = nodesIn(specifiers).map((specifier) => {
    if (specifier.type === "ImportDefaultSpecifier") return "default";
    return nameOf(specifier.type === "ExportSpecifier" ? specifier.local : specifier.imported);
  });
  return names.every((name) => name !== undefined) ? names : "all";
}

/** What a file exports by name, each once: a type beside its schema is one name. */
export function exportsOf({ path, syntax }: SourceFile): readonly Export[] {
  const found = new Map<string, Export>();
  const add = (name: string | undefined, passedOn = false) => {
    if (name !== undefined) found.set(name, { path, name, passedOn });
  };
  for (const node of nodesIn(syntax.body)) {
    if (node.type === "ExportDefaultDeclaration") add("default");
    if (node.type !== "ExportNamedDeclaration") continue;
    for (const { exported } of nodesIn(node.specifiers)) add(nameOf(exported), isNode(node.source));
    if (!isNode(node.declaration)) continue;
    add(nameOf(node.declaration.id));
    for (const { id } of nodesIn(node.declaration.declarations)) for (const name of bound(id)) add(name);
  }
  return [...found.values()];
}

/** The names that a pattern binds. */
function bound(pattern: unknown): readonly string[] {
  if (!isNode(pattern)) return [];
  const name = nameOf(pattern);
  if (name !== undefined) return [name];
  return [...nodesIn(pattern.elements), ...nodesIn(pattern.properties)].flatMap((part) =>
    bound(part.type === "Property" ? part.value : part),
  );
}
