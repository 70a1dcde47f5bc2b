import type { Bounty, MarketDetails, MarketId } from "../domain/bounty.ts";
import type { Guid } from "../domain/guid.ts";
import type { Instant } from "../domain/instant.ts";
import type { AbandonReason, BountyState } from "../domain/lifecycle.ts";
import type { Nct } from "../domain/nct.ts";
import type { Opinion } from "../domain/opinion.ts";
import type { ScanAnswer } from "../domain/scan.ts";
import type { SettledArtifact } from "../domain/settled.ts";
import type {
  AssertionRecord,
  BountyKey,
  BountyRecord,
  JournalEntry,
  JournalPosition,
  LedgerSummary,
  PlannedAssertion,
  Step,
} from "./records.ts";

/**
 * The truth of the producer: what was seen, promised and paid. Synchronous; every method that changes something is
 * durable when it returns. Throws Fault LEDGER_STATE when a bounty is asked to move where its life cycle does not lead,
 * ANSWERED_ALREADY when a second, different assertion is planned for a bounty.
 */
export interface Ledger extends Disposable {
  // Bounties, from hearing of them to their end

  /** Writes down a bounty heard of. False when it was known already. */
  see(bounty: Bounty): boolean;
  find(key: BountyKey): BountyRecord | undefined;
  /** Every bounty of the market in one of these states, oldest first. */
  inStates(market: MarketId, states: readonly BountyState[]): readonly BountyRecord[];
  /** The bounties of the market in one of these states whose assertion's metadata is stored with the market. */
  publishedIn(market: MarketId, states: readonly BountyState[]): ReadonlySet<Guid>;
  /** Moves a bounty along its life cycle. Staying in place is fine. */
  advance(key: BountyKey, to: BountyState): void;
  /** Ends a bounty on which no stake was placed. */
  abandon(key: BountyKey, reason: AbandonReason): void;
  /**
   * An abandoned bounty that carries an assertion of ours on the market after all is begun again. What was planned, or
   * signed to post it, is dropped: another answer of ours stands there. Anything but an abandoned bounty stays as it is.
   */
  reopen(key: BountyKey): void;
  /** Also when the reveal had been noted as missed. */
  recordRevealed(key: BountyKey): void;
  recordRevealMissed(key: BountyKey): void;
  /** The marketplace corrected what it alone knows of a bounty. */
  recordDetails(key: BountyKey, details: MarketDetails): void;
  recordQuorum(key: BountyKey): void;
  /** Ends every bounty of the market that is not settled, for one reason; returns how many that were. */
  writeOff(market: MarketId, reason: AbandonReason): number;
  /** Bounties with an assertion of ours that were written off for a reason, the newest first; at most so many. */
  writtenOff(market: MarketId, reason: AbandonReason, most: number): readonly Guid[];
  /**
   * Undoes `writeOff` where something may be staked: such a bounty is called what was signed for it last, fate unknown, or
   * asserted where the place of the assertion is known. Returns how many that were.
   */
  takeBack(market: MarketId, reason: AbandonReason): number;

  // Artifacts: triage, opinions, truth

  /** Notes, per artifact in index order, what triage said ("scan" or the reason of a skip). */
  recordTriage(key: BountyKey, decisions: readonly string[]): void;
  /** Keeps what backends said and what was made of it; both lists are in artifact order. */
  recordOpinions(key: BountyKey, opinions: readonly (Opinion | null)[], answers: readonly ScanAnswer[]): void;
  /** What the arbiters decided, per artifact in index order (`true` is malicious). */
  recordTruth(key: BountyKey, truth: readonly boolean[]): void;

  // Assertions, from the plan to the payout

  /** Fixes the assertion before anything is sent. The same plan twice is fine, a different one is refused. */
  planAssertion(key: BountyKey, plan: PlannedAssertion): void;
  assertion(key: BountyKey): AssertionRecord | undefined;
  /** Whether anything was ever planned on this market. */
  hasAsserted(market: MarketId): boolean;
  /** The fee that was approved, when it is not the planned one any more. */
  recordFee(key: BountyKey, fee: Nct): void;
  /** Milliseconds from hearing of the bounty until the assertion request left; the first time counts. */
  recordRequested(key: BountyKey, ms: number): void;
  recordAsserted(key: BountyKey, index: number): void;
  /** Where our assertion stands, whatever state it is in. */
  recordIndex(key: BountyKey, index: number): void;
  recordMetadataUri(key: BountyKey, uri: string): void;
  /** The payout in base units; null when it is not known. */
  recordSettled(key: BountyKey, payout: Nct | null): void;

  // The journal of all that is sent

  /**
   * Writes down what is about to be sent for a step, in the order in which the marketplace is to take it, and moves the bounty to
   * the state in which it may be on its way. The last entry decides; those before it do nothing by themselves. The same bytes
   * written again for another bounty, an approval on a chain that began anew for one, are the newest entry of the journal.
   */
  journal(key: BountyKey, step: Step, entries: readonly JournalEntry[]): void;
  /** What decided each time that something was written for a step, the oldest first. */
  references(key: BountyKey, step: Step): readonly string[];
  /** What was written for a step the last time, in the order of their sequence; empty when nothing was. */
  lastEntries(key: BountyKey, step: Step): readonly JournalEntry[];
  /**
   * The smallest sequence of everything that was written for a step, each time that it was; undefined when nothing was, or when
   * not all are known.
   */
  firstSequence(key: BountyKey, step: Step): bigint | undefined;
  /**
   * The highest sequence that the marketplace has certainly taken, as far as the ledger knows: of what was written, after a
   * position, for a step that the bounty has left behind. Where a step was written several times the lowest counts. A reveal may
   * be tried for a post that was never seen on the market, so it proves a post only with the place of the assertion.
   */
  takenSequence(market: MarketId, after?: JournalPosition): bigint | undefined;
  /** The reveal that was written last for each bounty whose reveal may still be on its way, in the order of their sequence. */
  openEntries(market: MarketId): readonly JournalEntry[];
  /**
   * What was written last for each bounty whose entries may still be on their way, from a sequence on; a list for each bounty. A
   * sequence that was given back and used again belongs to the entry that was written later.
   */
  entriesFrom(market: MarketId, sequence: bigint): readonly (readonly JournalEntry[])[];
  /** The newest entry of the journal, whatever market it is for. */
  newestPosition(): JournalPosition;
  /** The highest sequence among the last things written for a market after a position, or undefined when nothing was. */
  newestSequence(market: MarketId, after?: JournalPosition): bigint | undefined;
  /**
   * What was written last with each sequence from one on, in their order and without a break, whatever became of its bounty; at
   * most so many, and only what was written after a position. Empty when nothing was written with the first.
   */
  entriesBySequence(
    market: MarketId,
    from: bigint,
    most: number,
    after?: JournalPosition,
  ): readonly JournalEntry[];

  // Pins and notes

  /** A value pinned on first use (a contract's address, the chain id), or undefined. */
  pin(market: MarketId, name: string): string | undefined;
  /** Pins a value for good; a value pinned before stays. */
  setPin(market: MarketId, name: string, value: string): void;
  /** Pins another value than before, or none; for when nothing is owed under the old one. */
  replacePin(market: MarketId, name: string, value: string | undefined): void;
  /** What was noted last under this name, or undefined. */
  note(market: MarketId, name: string): string | undefined;
  /** Notes something that the market told and does not repeat; undefined takes the note away. */
  setNote(market: MarketId, name: string, value: string | undefined): void;

  // Sums and reports

  /** Our stakes that may be in escrow, in base units. */
  atRisk(market: MarketId): Nct;
  /**
   * What counts towards the limit at risk: stakes from the moment they are planned until they are settled, on one market or
   * on all.
   */
  committed(market?: MarketId): Nct;
  /** Stakes planned at or after an instant, on all markets, less those of which nothing came onto the market. */
  stakedSince(since: Instant): Nct;
  /**
   * Payouts less stakes and fees of what was settled at or after an instant, on all markets; may be negative. Settlements
   * with an unknown payout are left out.
   */
  profitSince(since: Instant): Nct;
  /** Milliseconds from hearing of a bounty to asking for its assertion, of every assertion, in order of planning. */
  requestTimes(): readonly number[];
  /** The newest artifacts on which the arbiters decided, at most so many, newest bounty first. */
  newestSettled(most: number): readonly SettledArtifact[];
  /** The artifacts of one bounty on which the arbiters decided. */
  settledOf(key: BountyKey): readonly SettledArtifact[];
  /** Totals over everything; reads every assertion. */
  summary(): LedgerSummary;

  /** Makes several changes as one: after a crash all of them are there, or none. */
  together(changes: () => void): void;
}
