import type { Guid } from "../domain/guid.ts";
import type { AbandonReason } from "../domain/lifecycle.ts";

/** What marketplaces of any kind tell of themselves and of what is owed there. Amounts are decimal NCT as text. */
export interface MarketTells {
  "market.connected": { market: string };
  "market.disconnected": { market: string; reason: string };
  /** Something we did not foresee went wrong with one bounty; the others go on. */
  "bounty.failed": { guid: Guid; reason: string };
  /** An end without a stake. */
  "bounty.abandoned": { guid: Guid; why: AbandonReason; detail?: string };
  /** The assertion is on the market. `ms` is from hearing of the bounty until the request for it left. */
  "assertion.posted": { guid: Guid; index: number; stake: string; ms: number | null };
  "assertion.unconfirmed": { guid: Guid; reason: string };
  "assertion.revealed": { guid: Guid; index: number };
  /** The reveal window closed on us; the stake counts as wrong wherever an arbiter voted. */
  "assertion.reveal-missed": { guid: Guid; stake: string };
  "assertion.settled": { guid: Guid; payout: string; profit: string; right: number; wrong: number };
  /** The market does not show any more what it did: blocks were taken back. The same bytes are handed over again. */
  "assertion.vanished": { guid: Guid; what: "assertion" | "reveal" | "settlement" };
}
