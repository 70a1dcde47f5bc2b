import { setImmediate as nextTurn } from "node:timers/promises";
import type { ArtifactClaim } from "../../domain/artifact.ts";
import type { Condition } from "../../triage/filters/filter.ts";

/** For so long a process may do one thing alone. */
const TURN_MS = 5;

/**
 * The same rules, with what each says of each of these claims known beforehand. An expression over what a stranger wrote
 * may take tenths of a second, and a bounty may have 256 artifacts: when a few milliseconds went by, the process does
 * what else is due, a reveal of another bounty for instance. Rejects with the signal's reason when that aborts.
 */
export async function askAhead<Rule extends { readonly condition: Condition }>(
  rules: readonly Rule[],
  claims: readonly ArtifactClaim[],
  signal: AbortSignal,
  steadyMs: () => number = () => performance.now(),
): Promise<readonly Rule[]> {
  let since = steadyMs();
  const asked: Rule[] = [];
  for (const rule of rules) {
    const { condition } = rule;
    const known = new Map<ArtifactClaim, boolean>();
    for (const claim of claims) {
      known.set(claim, condition.matches(claim));
      if (steadyMs() - since < TURN_MS) continue;
      await nextTurn();
      signal.throwIfAborted();
      since = steadyMs();
    }
    const matches = (claim: ArtifactClaim) => known.get(claim) ?? condition.matches(claim);
    asked.push({ ...rule, condition: { text: condition.text, matches } });
  }
  return asked;
}
