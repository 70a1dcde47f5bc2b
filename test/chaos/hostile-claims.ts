type Claims = readonly Readonly<Record<string, unknown>>[];

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

/**
 * What an attacker writes about the two artifacts of a bounty to cost its readers time: values without number, depth,
 * long texts, escapes. Their bounties are answered like any other. As large as the sandbox, which has the market in the
 * same process, can bear; larger is tried in test/integration/market-client-bounded.test.ts.
 */
export const HOSTILE_CLAIMS: readonly Claims[] = [
  [{ mimetype: "", numbers: Array.from({ length: 300_000 }, () => 1) }],
  [{ mimetype: "", deep: nested(200) }, { mimetype: "" }],
  [{ mimetype: "", big: Array.from({ length: 5_000 }, () => 2n ** 200n) }],
  [
    Object.fromEntries([
      ["mimetype", ""],
      ...Array.from({ length: 20_000 }, (_, index) => [`key${index}`, index]),
    ]),
  ],
  [{ mimetype: "", text: '"\\'.repeat(200_000) }],
];
