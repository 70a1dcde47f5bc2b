import type { Project, ProjectFile } from "./project.ts";

/** A bid strategy and its test. */
export const strategyFiles = ({ name }: Pick<Project, "name">): readonly ProjectFile[] => [
  { path: "bid-strategy.ts", text: strategy(name) },
  { path: "test/bid-strategy.test.ts", text: test("../bid-strategy.ts") },
];

const strategy = (name: string): string => `import { defineBidStrategy } from "microengine/bid";

/** Parts per million. */
const CERTAIN = 1_000_000;
const EVEN_ODDS = 500_000;
const TOO_WEAK = 700_000;

/** Stakes on what we are sure enough of, more the surer, and keeps silent about the rest. */
export const bidStrategy = defineBidStrategy({
  name: "${name}",
  bid: ({ artifacts, bidMinimum, bidMaximum }) =>
    artifacts.map(({ confidence }) => {
      if (confidence < TOO_WEAK) return null;
      const share = BigInt(confidence - EVEN_ODDS);
      return bidMinimum + ((bidMaximum - bidMinimum) * share) / BigInt(CERTAIN - EVEN_ODDS);
    }),
});
`;

const test = (module: string): string => `import assert from "node:assert/strict";
import { test } from "node:test";
import type { BidRequest } from "microengine/bid";
import { bidStrategy } from "${module}";

const bidsAt = (...confidences: number[]) => {
  const artifacts = confidences.map((confidence, index) => ({ index, verdict: "malicious", confidence }));
  return bidStrategy.bid({ artifacts, bidMinimum: 100n, bidMaximum: 1_100n } as unknown as BidRequest);
};

test("the strategy stakes more the surer the verdict, within the limits of the market", () => {
  assert.deepEqual(bidsAt(750_000, 1_000_000), [600n, 1_100n]);
});

test("the strategy keeps silent about a weak verdict", () => {
  assert.deepEqual(bidsAt(600_000), [null]);
});
`;
