import type { Bounty, MarketId } from "../domain/bounty.ts";
import type { BlockNumber, Instant } from "../domain/chain.ts";
import type { Guid } from "../domain/guid.ts";
import type { AbandonReason, BountyState } from "../domain/lifecycle.ts";
import type { Nct } from "../domain/nct.ts";
import type { Opinion } from "../domain/opinion.ts";
import type { ScanAnswer } from "../domain/scan.ts";
import type { SettledArtifact } from "../domain/settled.ts";
import type { SignedTransaction } from "../domain/transaction.ts";
import type {
  AssertionRecord,
  BountyKey,
  BountyRecord,
  DutyAction,
  JournalEntry,
  LedgerSummary,
  PlannedAssertion,
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
  /** It turned out to expire in another block. */
  recordExpiration(key: BountyKey, expiration: BlockNumber): void;
  recordQuorum(key: BountyKey): void;
  /** Ends every bounty of the market that is not settled, for one reason; returns how many that were. */
  writeOff(market: MarketId, reason: AbandonReason): number;
  /** Bounties with an assertion of ours that were written off for a reason, those that expire last first; at most so many. */
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

  // The journal of all that was signed

  /**
   * Remembers what was signed for a duty, in the order of the nonces, and moves the bounty to the state in which it may
   * be on its way. The last transaction decides; those before it do nothing by themselves. The same bytes signed again for
   * another bounty, an approval on a chain that began anew for one, are the newest entry of the journal.
   */
  recordSigned(key: BountyKey, action: DutyAction, signed: readonly SignedTransaction[]): void;
  /** The deciding hash of each time something was signed for a duty, the oldest first. */
  signed(key: BountyKey, action: DutyAction): readonly string[];
  /** What was signed for a duty the last time, in the order of the nonces; empty when nothing was. */
  lastSigned(key: BountyKey, action: DutyAction): readonly SignedTransaction[];
  /**
   * The smallest account nonce of everything that was signed for a duty, each time that it was; undefined when nothing
   * was, or when not all nonces are known.
   */
  firstNonce(key: BountyKey, action: DutyAction): bigint | undefined;
  /**
   * The highest account nonce that a block certainly holds, as far as the ledger knows: of what was signed,
   * after an entry, for a step that the bounty has left behind. Where a step was signed several times the lowest counts. A
   * reveal may be tried for a post that was never seen on the market, so it proves a post only with the place of the
   * assertion.
   */
  minedNonce(market: MarketId, after?: JournalEntry): bigint | undefined;
  /** The reveal that was signed last for each bounty whose reveal may still be on its way, in the order of the nonces. */
  signedReveals(market: MarketId): readonly SignedTransaction[];
  /**
   * What was signed last for each bounty whose transactions may still be on their way, from an account nonce on; an entry
   * for each bounty. A nonce that was given back and used again belongs to the one that was signed later.
   */
  signedFrom(market: MarketId, nonce: bigint): readonly (readonly SignedTransaction[])[];
  /** The newest entry of the journal of what was signed, whatever chain it is for. */
  newestEntry(): JournalEntry;
  /** The highest account nonce among the last things signed on a market after an entry, or undefined when nothing was. */
  newestNonce(market: MarketId, after?: JournalEntry): bigint | undefined;
  /**
   * What was signed last with each account nonce from one on, in their order and without a break, whatever became of its
   * bounty; at most so many, and only what was signed after an entry. Empty when nothing was signed with the first.
   */
  signedByNonce(
    market: MarketId,
    from: bigint,
    most: number,
    after?: JournalEntry,
  ): readonly SignedTransaction[];

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
