import type { BountyList } from "../bounty-list.ts";
import type { Deprecation } from "./chain/deprecation.ts";
import { block } from "./port/block.ts";
import { expirationOf } from "./port/details.ts";
import type { Marketplace } from "./port/marketplace.ts";
import { inTimeToPost } from "./port/windows.ts";

/** The registry's list of all bounties ever posted. What is found in it may prove that a deprecation is over. */
export const bountyListOf = (
  market: Pick<Marketplace, "bountiesPerPage" | "bountyPage" | "freshHead" | "parameters" | "bounty">,
  deprecation: Pick<Deprecation, "posted">,
): BountyList => ({
  pageSize: market.bountiesPerPage,
  step: 1,
  page: (page, signal) => market.bountyPage(page, signal),
  now: (signal) => market.freshHead(signal),
  longest: () => market.parameters().maxDuration,
  async bounty(guid, signal) {
    const bounty = await market.bounty(guid, signal);
    if (bounty !== null)
      deprecation.posted(guid, block(expirationOf(bounty) - market.parameters().maxDuration));
    return bounty;
  },
  closes: expirationOf,
  isOpen: inTimeToPost,
});
