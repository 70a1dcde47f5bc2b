import { Fault } from "../../../domain/fault.ts";
import type { Guid } from "../../../domain/guid.ts";
import { type BountyLook, lookThrough } from "../../bounty-list.ts";
import { expirationOf } from "../port/details.ts";
import type { Marketplace } from "../port/marketplace.ts";
import { askAgain } from "./ask-again.ts";

interface Walk {
  readonly market: Marketplace;
  /** What expired longer ago than this is left alone; undefined looks at everything. */
  readonly blocks: number | undefined;
  readonly visit: (guid: Guid) => Promise<void>;
}

/**
 * Visits the marketplace's bounties, the newest first: what can still be revealed comes before what can only be settled.
 * A settlement has no deadline, so by default there is no end but the first bounty ever. With `blocks`, a bounty costs a
 * request more, because when it expired decides whether it is visited.
 *
 * There is no second walk, as the backfill has one: a page before the end that is not full, as a node gives it that lags, is
 * asked for again. Throws Fault BOUNTY_LIST_GAP when it stays so, or whatever keeps a page from being read.
 */
export async function walk({ market, blocks, visit }: Walk, signal: AbortSignal): Promise<void> {
  const size = market.bountiesPerPage;
  let endFound = false;
  const readPage = async (page: number): Promise<readonly Guid[]> => {
    const guids = await market.bountyPage(page, signal);
    if (!endFound || guids.length === size) return guids;
    const sentence = `Page ${page} of the bounties lists ${guids.length} of ${size}, and more pages follow.`;
    throw new Fault("BOUNTY_LIST_GAP", sentence, { retryable: true });
  };
  const pages = { size, read: (page: number) => askAgain(() => readPage(page), signal) };
  const horizon = blocks === undefined ? undefined : market.head() - blocks;
  const expirationThere = async (guid: Guid): Promise<number | undefined> => {
    const bounty = await askAgain(() => market.bounty(guid, signal), signal).catch(() => undefined);
    return bounty ? expirationOf(bounty) : undefined;
  };
  const look = async (guid: Guid): Promise<BountyLook> => {
    endFound = true;
    const expiration =
      horizon === undefined
        ? undefined
        : // One that cannot be asked for is visited: the visit will say so.
          await expirationThere(guid);
    signal.throwIfAborted();
    if (horizon === undefined || expiration === undefined || expiration >= horizon) await visit(guid);
    // Posted before it expired; so all that is listed before it had expired this much later.
    const { maxDuration } = market.parameters();
    return expiration !== undefined && expiration - 1 + maxDuration < horizon! ? "long-closed" : "examined";
  };
  await lookThrough(pages, 0, look);
}
