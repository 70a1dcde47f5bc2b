import { isNode, nameOf, nodesIn, type SyntaxNode, walk } from "./syntax.ts";
import { placeIn, type SourceFile } from "./tree.ts";

/** A function with a body, or the signature of one. */
export interface Signature {
  readonly path: string;
  readonly place: string;
  readonly name: string;
  readonly parameters: number;
  /** Names of those that are boolean, by their type or by their default. */
  readonly flags: readonly string[];
  /** Of the whole, functions inside it included; undefined where it has no block. */
  readonly lines: number | undefined;
}

const SIGNATURES = new Set([
  ...["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression", "TSDeclareFunction"],
  ...["TSEmptyBodyFunctionExpression", "TSMethodSignature", "TSFunctionType", "TSCallSignatureDeclaration"],
]);

export function signaturesOf(file: SourceFile): readonly Signature[] {
  const found: Signature[] = [];
  for (const [node, around] of walk(file.syntax)) {
    if (!SIGNATURES.has(node.type)) continue;
    const parameters = nodesIn(node.params);
    const hasBlock = isNode(node.body) && node.body.type === "BlockStatement";
    found.push({
      path: file.path,
      place: placeIn(file, node.start),
      name: nameOf(node.id) ?? nameOf(node.key) ?? nameOf(around?.key) ?? nameOf(around?.id) ?? "(unnamed)",
      parameters: parameters.filter((parameter) => nameOf(parameter) !== "this").length,
      flags: parameters.filter(isFlag).map((parameter) => nameOf(unwrapped(parameter)) ?? "(pattern)"),
      lines: hasBlock ? file.text.slice(node.start, node.end).split("\n").length : undefined,
    });
  }
  return found;
}

function isFlag(parameter: SyntaxNode): boolean {
  const inner = parameter.type === "TSParameterProperty" ? parameter.parameter : parameter;
  if (isNode(inner) && inner.type === "AssignmentPattern" && isNode(inner.right)) {
    if (typeof inner.right.value === "boolean") return true;
  }
  const annotation = unwrapped(parameter).typeAnnotation;
  const type = isNode(annotation) ? annotation.typeAnnotation : undefined;
  const parts = isNode(type) && type.type === "TSUnionType" ? nodesIn(type.types) : [type];
  return parts.some((part) => isNode(part) && part.type === "TSBooleanKeyword");
}

/** The parameter without its default, its modifiers or its dots. */
function unwrapped(parameter: SyntaxNode): SyntaxNode {
  const inner =
    parameter.type === "TSParameterProperty"
      ? parameter.parameter
      : parameter.type === "AssignmentPattern"
        ? parameter.left
        : undefined;
  return isNode(inner) ? unwrapped(inner) : parameter;
}
