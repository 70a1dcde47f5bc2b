import type { MarketId } from "../../../domain/bounty.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import { FIRST_POSITION, type JournalPosition } from "../../../ledger/records.ts";

/** What the ledger notes, per market, of the registry it works with; means nothing of another registry. */
export const MARKET_NOTES = {
  /** The block from which on it takes no new bounties; absent while it takes them. */
  deprecated: "deprecated",
  /** How many of its bounties, counted from the first one posted, were looked at or are certainly closed. */
  examined: "examined",
  /** The parameters as they were last known, to start with when the gateway does not tell them: see remembered-parameters.ts. */
  parameters: "parameters",
  /** The account nonce that a chain which began anew did not know: what was written off then is looked for once it does. */
  anew: "anew",
  /** The newest entry of the journal when the chain began anew: what was signed up to it is of the chain before. */
  before: "before",
  /** Whether stakes of a ledger that was lost were looked for, and for which account: see market/onchain/recovery/lost-stake-search.ts. */
  lostStakes: "salvage",
} as const;

/** The entry up to which all that was signed is of a chain that is no more; 0 when there is none. */
export const lastBefore = (ledger: Pick<Ledger, "note">, market: MarketId): JournalPosition =>
  Number(ledger.note(market, MARKET_NOTES.before) ?? FIRST_POSITION);
