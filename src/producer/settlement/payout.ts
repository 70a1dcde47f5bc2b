import { type Address, sameAddress } from "../../domain/address.ts";
import { hasBit } from "../../domain/bits.ts";
import { MOST_PER_ARTIFACT } from "../../domain/deployment.ts";
import { type Nct, nct } from "../../domain/nct.ts";
import type { ArbiterVote, PostedAssertion } from "../../market/port.ts";
import { consensusOf } from "../consensus.ts";

/** What the contract computes a payout from, beside assertions and votes. Amounts in base units. */
export interface PayoutTerms {
  /** The bounty's reward. */
  readonly amount: Nct;
  readonly artifactCount: number;
  /** As it is now: where nobody voted, the contract gives back the current fee and not the paid one. */
  readonly assertionFee: Nct;
}

/**
 * What the contract pays an expert who settles, by the assertions and votes that it holds; `undefined` where they do not
 * say, because none is the expert's or revealed verdicts are missing. Source: rewards of BountyRegistry 1.6; divisions
 * round down.
 */
export function payoutOwed(
  terms: PayoutTerms,
  assertions: readonly PostedAssertion[],
  votes: readonly ArbiterVote[],
  expert: Address,
): Nct | undefined {
  const ours = assertions.find(({ author }) => sameAddress(author, expert));
  if (ours === undefined) return undefined;
  const portion = terms.amount / BigInt(terms.artifactCount);
  const truth = consensusOf(votes, terms.artifactCount);
  if (truth === undefined) {
    const share = portion / BigInt(assertions.length);
    return nct(terms.assertionFee + ours.bids.reduce((sum, bid) => sum + bid + share, 0n));
  }
  if (assertions.some(({ revealed, verdicts }) => revealed && verdicts === undefined)) return undefined;
  const shares = truth.map((malicious, index) => shareOf(ours, assertions, { index, malicious, portion }));
  return nct(shares.reduce((sum, share) => sum + share, 0n));
}

interface DecidedArtifact {
  readonly index: number;
  readonly malicious: boolean;
  readonly portion: bigint;
}

function shareOf(ours: PostedAssertion, all: readonly PostedAssertion[], artifact: DecidedArtifact): bigint {
  const { index, malicious, portion } = artifact;
  const isRight = ({ mask, revealed, verdicts = 0n }: PostedAssertion): boolean =>
    hasBit(mask, index) && revealed && hasBit(verdicts, index) === malicious;
  if (!isRight(ours)) return 0n;
  const bid = bidOn(ours, index);
  const right = all.filter(isRight).reduce((sum, one) => sum + bidOn(one, index), 0n);
  const wrong = all
    .filter((one) => hasBit(one.mask, index) && !isRight(one))
    .reduce((sum, one) => sum + bidOn(one, index), 0n);
  return right === 0n ? 0n : bid + (bid * wrong) / right + (bid * portion) / right;
}

/** Bids stand in the order of the mask's bits, lowest first; a list that is too short bids nothing. */
function bidOn({ mask, bids }: PostedAssertion, index: number): bigint {
  let position = 0;
  for (let bit = 0; bit < index; bit++) if (hasBit(mask, bit)) position++;
  return bids[position] ?? 0n;
}

/**
 * The most that a settlement of ours can be paid: the reward, every bid of every assertion, and our own fee. A listed bid
 * counts for no more than the contract takes, so that a list cannot make the limit what it likes.
 */
export function mostPayable(
  terms: PayoutTerms,
  assertions: readonly PostedAssertion[],
  ours: { readonly account: Address; readonly bids: readonly Nct[]; readonly fee: Nct },
): Nct {
  const ceiling = ours.bids.reduce((most, bid) => (bid > most ? bid : most), MOST_PER_ARTIFACT);
  const others = assertions
    .filter(({ author }) => !sameAddress(author, ours.account))
    .flatMap(({ bids }) => bids)
    .reduce((sum, bid) => sum + (bid < ceiling ? bid : ceiling), 0n);
  const stake = ours.bids.reduce((sum, bid) => sum + bid, 0n);
  const fee = ours.fee > terms.assertionFee ? ours.fee : terms.assertionFee;
  return nct(terms.amount + others + stake + fee);
}
