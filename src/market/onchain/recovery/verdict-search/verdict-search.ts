import type { Address } from "../../../../domain/address.ts";
import type { VerdictGuess } from "../../../recovery.ts";
import { commitment } from "../../settlement/record/commitment.ts";
import { everySet, fromBothEnds, outwards } from "./candidates.ts";
import { openKeccakWord, prefixOf } from "./keccak-word.ts";

/** An assertion whose verdicts are forgotten. */
export interface SealedVerdicts {
  readonly account: Address;
  readonly commitment: bigint;
  /** The secret of the commitment. */
  readonly nonce: bigint;
  /** Verdict bits outside it are clear. */
  readonly mask: bigint;
}

export interface SearchPlan {
  readonly guess?: VerdictGuess | undefined;
  /** How many candidates are tried at most when there are too many to try them all. */
  readonly tries: number;
}

export type SearchEnd =
  | { readonly kind: "found"; readonly verdicts: bigint; readonly tries: number }
  /** `exhausted`: every candidate was tried, so this nonce is not the one of the commitment. */
  | { readonly kind: "not-found"; readonly exhausted: boolean; readonly tries: number };

/** Up to so many masked artifacts every combination is tried: 2^20 of them take half a second. */
export const EXHAUSTIVE_ARTIFACTS = 20;
/** Some 30 ms of work. */
const PAUSE_EVERY = 2 ** 16;

/**
 * Finds the verdict bits that make `commitment` with the nonce. Up to 20 masked artifacts, all combinations; beyond
 * that, first what differs from the guess in few artifacts, or without a guess from "all benign" and "all malicious".
 * A generator, so that something else can be done in between; it yields the candidates tried so far.
 */
export function* searchVerdicts(
  sealed: SealedVerdicts,
  plan: SearchPlan,
): Generator<number, SearchEnd, void> {
  const masked = maskedIndexes(sealed.mask);
  const few = masked.length <= EXHAUSTIVE_ARTIFACTS;
  const limit = few ? 2 ** masked.length : plan.tries;
  const guess = few ? 0n : (plan.guess?.verdicts ?? 0n) & sealed.mask;

  const word = openKeccakWord();
  word.set(sealed.nonce);
  const key = word.hash() ^ BigInt(sealed.account);
  word.set(guess ^ key);
  const wanted = prefixOf(sealed.commitment);
  const candidates = few
    ? everySet(word, masked)
    : plan.guess === undefined
      ? fromBothEnds(word, masked)
      : outwards(word, leastSureFirst(plan.guess, masked));

  let tries = 0;
  for (const _ of candidates) {
    if (tries === limit) return { kind: "not-found", exhausted: false, tries };
    tries++;
    if (word.prefix() === wanted) {
      const verdicts = word.word() ^ key;
      if (commitment(sealed.account, verdicts, sealed.nonce) === sealed.commitment)
        return { kind: "found", verdicts, tries };
    }
    if (tries % PAUSE_EVERY === 0) yield tries;
  }
  return { kind: "not-found", exhausted: true, tries };
}

/** The masked artifacts, the least sure first: those that the guess leaves out stand before all others. */
function leastSureFirst({ doubtful }: VerdictGuess, masked: readonly number[]): readonly number[] {
  const known = doubtful.filter((index) => masked.includes(index));
  return [...masked.filter((index) => !known.includes(index)), ...known];
}

/** The set bits, lowest first. */
export const maskedIndexes = (mask: bigint): readonly number[] =>
  [...mask.toString(2)].reverse().flatMap((digit, index) => (digit === "1" ? [index] : []));
