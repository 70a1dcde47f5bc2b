/**
 * Where a reveal is tried when nothing says where our assertion stands. Pure: the same facts, the same places in the same
 * order. The contract takes a reveal in its place and refuses it in all others, so a wrong place costs one transaction
 * that reverts, and a place that is never tried may cost the stake.
 */
import { sameAddress } from "../../../../domain/address.ts";
import type { PostedAssertion } from "../../port/marketplace.ts";

/** So many places are tried at a time, in one request, and so many in all. */
export const PLACES_AT_ONCE = 8;
export const MOST_PLACES = 64;

interface PlaceFacts {
  readonly account: string;
  /** Where a receipt, the list or the stream once said that it stands. */
  readonly told: number | undefined;
  /** The assertions that the marketplace listed, ours not among them; undefined when it gave no list. */
  readonly listed: readonly Pick<PostedAssertion, "author" | "index">[] | undefined;
  readonly tried: readonly number[];
}

/**
 * The places to try next, at most `PLACES_AT_ONCE`; empty when `MOST_PLACES` were tried:
 *
 * 1. where we were told that it stands,
 * 2. where the list has an assertion of our account, whatever else it says of it: the contract takes one of each account,
 * 3. where the list has no entry between two others,
 * 4. from the end of the list, where a list that is short goes on, to both sides; from the first where there is no list.
 */
export function placesToTry({ account, told, listed = [], tried }: PlaceFacts): readonly number[] {
  const places = new Set<number>(told === undefined ? [] : [told]);
  const taken = new Set<number>();
  let end = 0;
  for (const { author, index } of listed) {
    taken.add(index);
    end = Math.max(end, index + 1);
    if (sameAddress(author, account)) places.add(index);
  }
  const wanted = MOST_PLACES + tried.length;
  for (let place = 0; place < end && places.size < wanted; place++) if (!taken.has(place)) places.add(place);
  for (let away = 0; places.size < wanted; away++) {
    places.add(end + away);
    if (end > away) places.add(end - away - 1);
  }
  const most = Math.min(PLACES_AT_ONCE, MOST_PLACES - tried.length);
  return [...places].filter((place) => !tried.includes(place)).slice(0, Math.max(most, 0));
}

/**
 * Whether an assertion may have been mined, by the count of our transactions that were: one whose first account nonce that
 * count has not passed certainly was not, so that nothing is staked and nothing need be tried. What is not known speaks
 * for it.
 *
 * `first`: the smallest nonce that anything of it was signed with. `mined`: how many the node counts. `seen`: the highest that
 * the ledger knows as mined; a node that counts fewer lags behind.
 */
export function mayBeMined(facts: {
  readonly first: bigint | undefined;
  readonly mined: bigint | undefined;
  readonly seen: bigint | undefined;
}): boolean {
  const { first, mined, seen } = facts;
  if (first === undefined || mined === undefined) return true;
  return mined > first || (seen !== undefined && seen >= first);
}
