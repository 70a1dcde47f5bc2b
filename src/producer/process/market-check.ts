import { STAGES, type Stage } from "../../market/onchain/settlement/record/duty.ts";

interface MarketState {
  /** The event stream is open. */
  readonly connected: boolean;
  /** The registry takes no new bounties. */
  readonly deprecated: boolean;
  /** Bounties that wait for longer than usual, by what they wait for. */
  readonly overdue: Readonly<Record<Stage, number>>;
}

const DEPRECATED = "deprecated: no new assertions; what was promised is revealed and settled";

/**
 * A chain's line in `/readyz`. A deprecated market is well as long as what was promised on it can be kept. What is overdue
 * is named, and makes nothing unready: a restart would not help, and the scanners' work is as good as before.
 */
export function marketCheck({ connected, deprecated, overdue }: MarketState): {
  readonly ok: boolean;
  readonly detail?: string;
} {
  const late = STAGES.filter((stage) => overdue[stage] > 0).map((stage) => `${stage} ${overdue[stage]}`);
  const details = [
    ...(deprecated ? [DEPRECATED] : []),
    ...(late.length === 0 ? [] : [`overdue: ${late.join(", ")}`]),
  ];
  return { ok: connected, ...(details.length === 0 ? {} : { detail: details.join("; ") }) };
}
