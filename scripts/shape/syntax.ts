import { parseAst } from "rolldown/parseAst";

/** A node of the syntax tree, as far as a measure looks at it. */
export interface SyntaxNode {
  readonly type: string;
  /** In characters of the text. */
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** The tree of a TypeScript text. Throws where it is none. */
export const parse = (text: string): SyntaxNode => parseAst(text, { lang: "ts" }) as unknown as SyntaxNode;

/** Every node, each before what is in it, with the node around it. */
export function* walk(
  node: SyntaxNode,
  around?: SyntaxNode,
): Generator<readonly [SyntaxNode, SyntaxNode | undefined]> {
  yield [node, around];
  for (const value of Object.values(node)) {
    for (const inner of Array.isArray(value) ? value : [value]) if (isNode(inner)) yield* walk(inner, node);
  }
}

export const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";

export const nodesIn = (value: unknown): readonly SyntaxNode[] =>
  Array.isArray(value) ? value.filter(isNode) : [];

/** The name that an identifier, a private name or a quoted key says; undefined for anything else. */
export function nameOf(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  const name = value.type === "Literal" ? value.value : value.name;
  return typeof name === "string" ? name : undefined;
}
