import type { MarketDetails } from "../domain/bounty.ts";
import type { AbandonReason } from "../domain/lifecycle.ts";
import type { Nct } from "../domain/nct.ts";
import type {
  AssertionRecord,
  BountyKey,
  BountyRecord,
  JournalEntry,
  JournalPosition,
  Step,
} from "./records.ts";

/**
 * The ledger, as what is owed is kept in it. Promising stops with the disk, keeping promises does not: all but
 * `journalAssertion` is remembered, and read as if it stood there, while the disk takes no writes.
 */
export interface DutyLedger {
  find(key: BountyKey): BountyRecord | undefined;
  assertion(key: BountyKey): AssertionRecord | undefined;
  /** What decided each time that something was written for a step, the oldest first. */
  references(key: BountyKey, step: Step): readonly string[];
  /** What was written for a step the last time, to be sent again; empty when it is not known any more. */
  lastEntries(key: BountyKey, step: Step): readonly JournalEntry[];
  /** See `Ledger`. */
  firstSequence(key: BountyKey, step: Step): bigint | undefined;
  /** See `Ledger`; of the market that this is for. */
  takenSequence(after: JournalPosition): bigint | undefined;
  /** Fixes what is about to be sent; `fee` when it is not the planned one any more. Throws when the disk takes no writes. */
  journalAssertion(key: BountyKey, entries: readonly JournalEntry[], fee: Nct | undefined): void;
  /** What is about to be sent to keep a promise. */
  journal(key: BountyKey, step: Exclude<Step, "assert">, entries: readonly JournalEntry[]): void;
  recordRequested(key: BountyKey, ms: number): void;
  recordAsserted(key: BountyKey, index: number): void;
  /** Where it stands, of an assertion that was revealed before its place was told. */
  recordIndex(key: BountyKey, index: number): void;
  recordMetadataUri(key: BountyKey, metadataUri: string): void;
  recordRevealed(key: BountyKey): void;
  recordRevealMissed(key: BountyKey): void;
  /** The marketplace corrected what it alone knows of a bounty. */
  recordDetails(key: BountyKey, details: MarketDetails): void;
  recordQuorum(key: BountyKey): void;
  /** `truth`: what was decided per artifact in index order; empty when that is not known. */
  recordSettled(key: BountyKey, payout: Nct | null, truth: readonly boolean[]): void;
  abandon(key: BountyKey, reason: AbandonReason): void;
}
