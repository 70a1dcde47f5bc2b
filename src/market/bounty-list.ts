import type { Bounty } from "../domain/bounty.ts";
import { Fault } from "../domain/fault.ts";
import type { Guid } from "../domain/guid.ts";
import type { Moment } from "./moment.ts";

/** Where bounties are found whose news never came. */
export interface BountyList {
  readonly pageSize: number;
  /** The shortest time after which asking again may help. */
  readonly step: Moment;
  /** The GUIDs of one page of all bounties ever posted, the oldest on page 0 and first. */
  page(page: number, signal: AbortSignal): Promise<readonly Guid[]>;
  /** Now, asked for anew: nothing is called closed on the word of a stream. */
  now(signal: AbortSignal): Promise<Moment>;
  /** A bounty closes so much later than it was posted, at most. */
  longest(): Moment;
  /** `null` when the marketplace knows no such bounty. */
  bounty(guid: Guid, signal: AbortSignal): Promise<Bounty | null>;
  /** The first moment at which no answer counts. */
  closes(bounty: Pick<Bounty, "details">): Moment;
  /** Whether an answer that is sent at this moment still counts. */
  isOpen(closes: Moment, now: Moment): boolean;
}

/** The marketplace's list of all bounties ever posted, the oldest first, in pages of `size`. */
export interface BountyPages {
  readonly size: number;
  read(page: number): Promise<readonly Guid[]>;
}

/**
 * What looking at a bounty came to. `examined`: it needs no second look. `long-closed`: so old that it and everything listed
 * before it is certainly closed. `unsure`: the market could not be asked; it has to be looked at again.
 */
export type BountyLook = "examined" | "long-closed" | "unsure";

/** Bounties looked at side by side. */
const SIDE_BY_SIDE = 8;
/** More pages than all the blocks of a chain could fill: a list that is longer is made up. */
const MAX_PAGE = 2 ** 40;

/**
 * Looks at the bounties at the end of the list, the newest first, and returns the new cursor: how many bounties, counted
 * from the first one posted, need no look any more.
 *
 * It ends at `cursor`, less one page, because a reorganisation may have moved or dropped what was last; and it ends at the
 * first bounty that is long closed, with or without a cursor. That one exists: bounties are listed in the order of posting, and
 * one that is posted in block p expires in p + maxDuration at the latest, and in p + 1 at the earliest. So nothing listed
 * before a bounty that expires in block e was posted after e - 1, and all of it is closed from e - 1 + maxDuration on. A
 * first start on a market with 100,000 old bounties takes some twenty requests to find the end of the list, and one look.
 *
 * The newest first, because they have the most time left: a scan takes as long for the one as for the other, and what is
 * about to expire will mostly come too late whatever its turn. All that is open is looked at anyway.
 *
 * Rejects when a page cannot be read; what was looked at until then counts for nothing, and the cursor stays.
 */
export async function lookThrough(
  pages: BountyPages,
  cursor: number,
  look: (guid: Guid) => Promise<BountyLook>,
): Promise<number> {
  const last = await lastPage(pages, Math.floor(cursor / pages.size));
  if (last === undefined) return 0;
  const end = last.page * pages.size + last.guids.length;
  const overlap = Math.max(0, Math.min(cursor, end) - pages.size);
  let unsure = end;
  for (let page = last.page; (page + 1) * pages.size > overlap; page--) {
    const first = page * pages.size;
    const guids = page === last.page ? last.guids : await pages.read(page);
    const from = Math.max(0, overlap - first);
    // It was full when the end was searched for: what it left out this time is looked at another time.
    if (page !== last.page && guids.length < pages.size) unsure = first + guids.length;
    for (let to = guids.length; to > from; to -= SIDE_BY_SIDE) {
      const start = Math.max(from, to - SIDE_BY_SIDE);
      const looks = await Promise.all(guids.slice(start, to).toReversed().map(look));
      const closed = looks.indexOf("long-closed");
      const doubtful = looks.slice(0, closed < 0 ? looks.length : closed).lastIndexOf("unsure");
      if (doubtful >= 0) unsure = first + to - 1 - doubtful;
      if (closed >= 0) return unsure;
    }
  }
  return unsure;
}

/**
 * The last page that lists anything, found from page `from` by doubling the step and then bisecting: the list does not
 * say how long it is. Undefined when it is empty.
 */
async function lastPage(
  pages: BountyPages,
  from: number,
): Promise<{ readonly page: number; readonly guids: readonly Guid[] } | undefined> {
  let full: { readonly page: number; readonly guids: readonly Guid[] } | undefined;
  /** The first page known to lie beyond the end. */
  let beyond = Number.POSITIVE_INFINITY;
  for (let page = from, step = 1; page <= MAX_PAGE; step *= 2) {
    const guids = await pages.read(page);
    if (guids.length > 0 && guids.length < pages.size) return { page, guids };
    if (guids.length === 0) beyond = page;
    else full = { page, guids };
    const known = full?.page ?? -1;
    if (beyond === known + 1) return full;
    page = beyond === Number.POSITIVE_INFINITY ? known + step : Math.floor((known + beyond) / 2);
  }
  throw new Fault("BOUNTY_LIST_ENDLESS", "The marketplace's list of bounties does not end.");
}
