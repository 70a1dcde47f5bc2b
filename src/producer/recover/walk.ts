/** The marketplace's bounties, the newest first: what can still be revealed comes before what can only be settled. */
import type { BlockNumber } from "../../domain/chain.ts";
import type { Guid } from "../../domain/guid.ts";
import type { Marketplace } from "../../market/port.ts";

type Book = Pick<Marketplace, "bountyPage" | "bounty">;

/** How far back to look. */
export interface Horizon {
  /** Bounties that expired before this block are left alone. */
  readonly expiredBefore: BlockNumber;
  /** How many blocks a bounty can take assertions at most. */
  readonly maxDuration: number;
}

/**
 * Page by page, until the first bounty ever or until all that is left lies beyond the horizon. GUIDs are in the order of
 * posting: a bounty that expired `maxDuration` before the horizon was posted earlier still, and so was all before it.
 */
export async function* pagesFromNewest(
  market: Book,
  horizon?: Horizon,
  signal?: AbortSignal,
): AsyncGenerator<readonly Guid[], void, void> {
  const last = await lastPage(market, signal);
  for (let page = last; page >= 0; page--) {
    const guids = await market.bountyPage(page, signal);
    yield guids.toReversed();
    const oldest = guids[0];
    if (horizon === undefined || oldest === undefined) continue;
    const expiration = (await market.bounty(oldest, signal))?.expiration;
    if (expiration !== undefined && expiration < horizon.expiredBefore - horizon.maxDuration) return;
  }
}

/** The page of the newest bounty, found by doubling and bisecting; -1 when there is none at all. */
async function lastPage(market: Book, signal?: AbortSignal): Promise<number> {
  const holds = async (page: number): Promise<boolean> => (await market.bountyPage(page, signal)).length > 0;
  let beyond = 1;
  let full = -1;
  while (await holds(beyond - 1)) {
    full = beyond - 1;
    beyond *= 2;
  }
  // Page `full` holds bounties, page `empty` holds none.
  let empty = beyond - 1;
  while (empty - full > 1) {
    const middle = Math.floor((full + empty) / 2);
    if (await holds(middle)) full = middle;
    else empty = middle;
  }
  return full;
}

/** Does the work on every item, on so many at once, in order of beginning. */
export async function concurrently<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  // One iterator for all: each takes the next item when it is done with its own.
  const rest = Iterator.from(items);
  const worker = async (): Promise<void> => {
    for (const item of { [Symbol.iterator]: () => ({ next: () => rest.next() }) }) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
