/** What is wrong with rules, and how that is told: all of it at once, each with its file and line. */
import { ConfigFault } from "../../domain/fault.ts";

export interface RuleProblem {
  /** `file`: it cannot be read, or is no rule file. `rule`: it does not compile. */
  readonly kind: "file" | "rule";
  /** A sentence without its end. Of a rule: `FILE:LINE: WHY`. */
  readonly text: string;
}

/** So many are named in one sentence; the log has the others. */
export const NAMED_AT_ONCE = 20;

const HINT =
  "--yara-rules (variable RULES_DIR) names the rules; --yara-skip-broken (variable YARA_SKIP_BROKEN) goes on without what is broken.";

export class BrokenRules extends ConfigFault {
  readonly problems: readonly RuleProblem[];

  constructor(problems: readonly RuleProblem[], cause?: unknown) {
    super("YARA_RULES_INVALID", sentenceOf(problems), { hint: HINT, cause });
    this.problems = problems;
  }
}

export const invalidRules = (text: string, cause?: unknown): BrokenRules =>
  new BrokenRules([{ kind: "file", text }], cause);

function sentenceOf(problems: readonly RuleProblem[]): string {
  const [first, ...others] = problems;
  if (first === undefined) return "The YARA rules cannot be used.";
  if (others.length === 0)
    return first.kind === "rule" ? `The YARA rules do not compile: ${first.text}.` : `${first.text}.`;
  const named = problems.slice(0, NAMED_AT_ONCE).map(({ text }) => text);
  const more = problems.length - named.length;
  if (more > 0) named.push(`and ${more} more, which the log names`);
  return `The YARA rules have ${problems.length} faults: ${named.join("; ")}.`;
}
