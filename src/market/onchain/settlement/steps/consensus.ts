import { hasBit } from "../../../../domain/bits.ts";
import type { ArbiterVote } from "../../port/marketplace.ts";

/**
 * What the arbiters' votes amount to, per artifact in index order: malicious when at least half say so (a tie goes to
 * malicious), `undefined` when there are no votes. Source: protocol of BountyRegistry, consensus used for payment.
 */
export function consensusOf(votes: readonly ArbiterVote[], artifactCount: number): boolean[] | undefined {
  if (votes.length === 0) return undefined;
  return Array.from({ length: artifactCount }, (_, index) => {
    const malicious = votes.filter((vote) => hasBit(vote.votes, index)).length;
    return malicious >= votes.length - malicious;
  });
}
