import { setImmediate as nextTurn } from "node:timers/promises";
import type { ArtifactClaim } from "../domain/artifact.ts";
import type { Condition } from "../triage/filter.ts";

/**
 * The same rules, with what each says of each of these claims known beforehand. An expression over what a stranger wrote
 * may take tenths of a second, and a bounty may have 256 artifacts: between two questions the process does what else is
 * due, a reveal of another bounty for instance. Rejects with the signal's reason when that aborts.
 */
export async function askAhead<Rule extends { readonly condition: Condition }>(
  rules: readonly Rule[],
  claims: readonly ArtifactClaim[],
  signal: AbortSignal,
): Promise<readonly Rule[]> {
  const asked: Rule[] = [];
  for (const rule of rules) {
    const { condition } = rule;
    const known = new Map<ArtifactClaim, boolean>();
    for (const claim of claims) {
      known.set(claim, condition.matches(claim));
      await nextTurn();
      signal.throwIfAborted();
    }
    const matches = (claim: ArtifactClaim) => known.get(claim) ?? condition.matches(claim);
    asked.push({ ...rule, condition: { text: condition.text, matches } });
  }
  return asked;
}
