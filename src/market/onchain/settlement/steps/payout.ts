import { type Address, sameAddress } from "../../../../domain/address.ts";
import { unpackBits } from "../../../../domain/bits.ts";
import { type Nct, nct } from "../../../../domain/nct.ts";
import { MOST_PER_ARTIFACT } from "../../../../domain/stake-limit.ts";
import type { ArbiterVote, PostedAssertion } from "../../port/marketplace.ts";
import { consensusOf } from "./consensus.ts";

/** What the contract computes a payout from, beside assertions and votes. Amounts in base units. */
interface PayoutTerms {
  /** The bounty's reward. */
  readonly amount: Nct;
  readonly artifactCount: number;
  /** As it is now: where no arbiter voted, the contract gives back the current fee and not the paid one. */
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
  const stakes = stakesOn(assertions, truth);
  let owed = 0n;
  for (const [index, bid] of rightBids(ours, truth)) {
    const { right, wrong } = stakes[index]!;
    if (right > 0n) owed += bid + (bid * wrong) / right + (bid * portion) / right;
  }
  return nct(owed);
}

/** What was bid on one artifact, by those who were right about it and by all others. */
interface Stakes {
  right: bigint;
  wrong: bigint;
}

/** One pass over each assertion: strangers post as many as they pay for, on up to 256 artifacts. */
function stakesOn(assertions: readonly PostedAssertion[], truth: readonly boolean[]): readonly Stakes[] {
  const stakes = truth.map((): Stakes => ({ right: 0n, wrong: 0n }));
  for (const assertion of assertions) {
    for (const { index, bid, isRight } of bidsOf(assertion, truth)) {
      if (isRight) stakes[index]!.right += bid;
      else stakes[index]!.wrong += bid;
    }
  }
  return stakes;
}

const rightBids = (assertion: PostedAssertion, truth: readonly boolean[]): (readonly [number, bigint])[] =>
  bidsOf(assertion, truth)
    .filter(({ isRight }) => isRight)
    .map(({ index, bid }) => [index, bid]);

/** Bids stand in the order of the mask's bits, lowest first; a list that is too short bids nothing. */
function bidsOf({ mask, bids, revealed, verdicts = 0n }: PostedAssertion, truth: readonly boolean[]) {
  const [masked, told] = [unpackBits(mask, truth.length), unpackBits(verdicts, truth.length)];
  const placed: { readonly index: number; readonly bid: bigint; readonly isRight: boolean }[] = [];
  for (const [index, malicious] of truth.entries()) {
    if (!masked[index]) continue;
    placed.push({ index, bid: bids[placed.length] ?? 0n, isRight: revealed && told[index] === malicious });
  }
  return placed;
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
