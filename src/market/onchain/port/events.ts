import type { Guid } from "../../../domain/guid.ts";
import type { MarketTells } from "../../events.ts";

/** What a marketplace behind contracts tells besides. Amounts are decimal NCT as text. */
interface OnchainEvents extends MarketTells {
  /**
   * The first thing that a start does: the reveals that an earlier run had signed were sent, so many milliseconds after the process
   * began. Whether they arrived is looked into.
   */
  "reveals.handed-over": { market: string; reveals: number; sinceStartMs: number };
  /**
   * The chain knows neither our transactions nor our bounties: it is another one than the ledger's, begun anew. All that was
   * open is written off.
   */
  "market.begun-anew": { market: string; bounties: number; written: number; atRisk: string; hint: string };
  /** It was not: the node has its blocks again, and what may be staked of what was written off is promised again. */
  "market.came-back": { market: string; bounties: number };
  /** What an earlier run had signed, and may not have sent, is with the node. */
  "producer.handed-over": { market: string; actions: number };
  "producer.handing-over-failed": { market: string; reason: string };
  /**
   * None of our transactions is mined although some are signed: those from the first missing account nonce on are handed
   * over again, byte for byte.
   */
  "nonces.handed-over": { market: string; nonce: string; transactions: number };
  "nonces.handing-over-failed": { market: string; reason: string };
  "market.parameters": { market: string; assertionFee: string; revealWindow: number; voteWindow: number };
  "market.deprecated": { market: string; rollover: boolean };
  /** `proof` is a bounty posted after the deprecation: the registry takes bounties again, and we missed the news. */
  "market.undeprecated": { market: string; proof?: Guid };
  /** The block in which it expires, and with it the reveal, is another than the one that was told at first. */
  "bounty.expiration-corrected": { guid: Guid; from: number; to: number };
  /** The contract holds another assertion of this account, of which the ledger knows nothing: ours was refused. */
  "assertion.another-stands": { guid: Guid; index: number; hint: string };
  /**
   * A settlement of ours came, and what it is said to have paid is not what the contract's own record comes to: the
   * payout is written down as unknown, and counts for nothing.
   */
  "settlement.unverified": { guid: Guid; claimed: string; owed: string; why: string };
}

export type TellOnchain = <Name extends keyof OnchainEvents>(event: Name, facts: OnchainEvents[Name]) => void;

/** Of the log; `info` where none is given. */
export const ONCHAIN_LEVELS = {
  "producer.handing-over-failed": "warn",
  "nonces.handed-over": "warn",
  "nonces.handing-over-failed": "warn",
  "market.begun-anew": "error",
  "market.came-back": "warn",
  "bounty.expiration-corrected": "warn",
  "market.deprecated": "warn",
  "assertion.another-stands": "warn",
  "settlement.unverified": "warn",
} as const satisfies Partial<Record<keyof OnchainEvents, "debug" | "warn" | "error">>;
