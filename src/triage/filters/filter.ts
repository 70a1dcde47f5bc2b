/**
 * Filters on what a bounty's metadata says of an artifact. It is a stranger's word, so a filter can keep us from work
 * and never proves anything.
 */
import type { ArtifactClaim } from "../../domain/artifact.ts";
import { compilePattern } from "./pattern.ts";
import { pythonFloat, pythonText } from "./python-text.ts";

const COMPARISONS = [
  ...["<", "<=", ">=", ">"],
  ...["==", "contains", "startswith", "endswith", "regex"],
] as const;
export type Comparison = "<" | "<=" | ">=" | ">" | "==" | "contains" | "startswith" | "endswith" | "regex";

/** FIELD COMPARISON VALUE: a question about one key of the metadata. */
export interface Condition {
  /** As the operator wrote it. */
  readonly text: string;
  /** False when the key is missing or null, whatever the comparison. */
  matches(claim: ArtifactClaim): boolean;
}

/** `words` is FIELD, COMPARISON, VALUE. Throws RangeError whose message completes "it must be ...". */
export function parseCondition(field: string, comparison: string, value: string): Condition {
  const test = testOf(comparison, value);
  return {
    text: `${field} ${comparison} ${value}`,
    matches({ raw }) {
      const held = Object.hasOwn(raw, field) ? raw[field] : undefined;
      return held !== undefined && held !== null && test(held);
    },
  };
}

type Test = (held: unknown) => boolean;

function testOf(comparison: string, value: string): Test {
  const known = COMPARISONS.find((name) => name === comparison) as Comparison | undefined;
  switch (known) {
    case "<":
    case "<=":
    case ">=":
    case ">":
      return numeric(known, value);
    case "==":
      return (held) => pythonText(held) === value;
    case "contains":
      return (held) => pythonText(held).includes(value);
    case "startswith":
      return (held) => pythonText(held).startsWith(value);
    case "endswith":
      return (held) => pythonText(held).endsWith(value);
    case "regex":
      return searching(value);
    case undefined:
      throw new RangeError(`with one of the comparisons ${COMPARISONS.join(", ")}, not "${comparison}"`);
  }
}

function numeric(comparison: "<" | "<=" | ">=" | ">", value: string): Test {
  const bound = pythonFloat(value);
  if (bound === undefined || Number.isNaN(bound))
    throw new RangeError(`with a number behind ${comparison}, not "${value}"`);
  const holds: Readonly<Record<typeof comparison, (number: number) => boolean>> = {
    "<": (number) => number < bound,
    "<=": (number) => number <= bound,
    ">=": (number) => number >= bound,
    ">": (number) => number > bound,
  };
  return (held) => {
    const number = pythonFloat(held);
    return number !== undefined && holds[comparison](number);
  };
}

function searching(source: string): Test {
  try {
    const pattern = compilePattern(source);
    return (held) => pattern.search(pythonText(held));
  } catch (error) {
    throw new RangeError(`with a regular expression that can be used: ${(error as Error).message}`);
  }
}

/** An operator's filters, in the order given. */
export interface Filter {
  readonly decision: "accept" | "reject";
  readonly condition: Condition;
}

/**
 * Why an artifact is left alone, or `undefined` when it is not. One matching `reject` is enough to leave it alone; when
 * there is any `accept`, one of them must match.
 */
export function filteredOut(filters: readonly Filter[], claim: ArtifactClaim): string | undefined {
  const rejecting = filters.find(
    ({ decision, condition }) => decision === "reject" && condition.matches(claim),
  );
  if (rejecting !== undefined) return `rejected by ${rejecting.condition.text}`;
  const accepting = filters.filter(({ decision }) => decision === "accept");
  if (accepting.length === 0 || accepting.some(({ condition }) => condition.matches(claim))) return undefined;
  return `accepted by none of ${accepting.map(({ condition }) => condition.text).join(" | ")}`;
}
