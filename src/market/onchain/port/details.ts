import type { Bounty, MarketDetails } from "../../../domain/bounty.ts";
import { Fault } from "../../../domain/fault.ts";
import { type BlockNumber, block } from "./block.ts";

/** What this dialect keeps with a bounty. */
export const detailsOf = (expiration: number): MarketDetails => ({ expiration });

/** First block in which an assertion is refused and a reveal accepted. Throws Fault BOUNTY_DETAILS for a bounty of another market. */
export function expirationOf({ details }: Pick<Bounty, "details">): BlockNumber {
  const { expiration } = details;
  if (typeof expiration !== "number" || !Number.isSafeInteger(expiration))
    throw new Fault("BOUNTY_DETAILS", "The bounty does not say in which block it expires.");
  return block(expiration);
}
