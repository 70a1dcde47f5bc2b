import type { Nct } from "../../../../domain/nct.ts";

/** A settlement that one answer told of. */
export interface SettlementSeen {
  /** The newest block when it was. */
  readonly block: number;
  /** `null` when no answer says what it paid. */
  readonly payout: Nct | null;
  readonly source: "receipt" | "announcement";
}

/** What is remembered of a bounty's settlement while the process lives. */
export interface SettlementMemory {
  seen: SettlementSeen | undefined;
  /** The contract refused a settlement of ours because there was one before. */
  refused: boolean;
  /** Another settlement was sent in order to be refused. */
  contractAsked: boolean;
}
