interface MarketState {
  /** It is heard. */
  readonly connected: boolean;
  /** It takes no new answers. */
  readonly deprecated: boolean;
  /** Bounties that wait for longer than usual, by what they wait for. */
  readonly overdue: Readonly<Record<string, number>>;
}

const DEPRECATED = "deprecated: no new assertions; what was promised is revealed and settled";

/**
 * A marketplace's line in `/readyz`. A deprecated market is well as long as what was promised on it can be kept. What is overdue
 * is named, and makes nothing unready: a restart would not help, and the scanners' work is as good as before.
 */
export function marketCheck({ connected, deprecated, overdue }: MarketState): {
  readonly ok: boolean;
  readonly detail?: string;
} {
  const late = Object.entries(overdue).flatMap(([stage, count]) => (count > 0 ? [`${stage} ${count}`] : []));
  const details = [
    ...(deprecated ? [DEPRECATED] : []),
    ...(late.length === 0 ? [] : [`overdue: ${late.join(", ")}`]),
  ];
  return { ok: connected, ...(details.length === 0 ? {} : { detail: details.join("; ") }) };
}
