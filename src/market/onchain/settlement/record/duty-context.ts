import type { Clock } from "../../../../domain/chain.ts";
import type { Guid } from "../../../../domain/guid.ts";
import type { Nct } from "../../../../domain/nct.ts";
import type { Ledger } from "../../../../ledger/ledger.ts";
import type { AssertionRecord, BountyKey, BountyRecord } from "../../../../ledger/records.ts";
import type { Marketplace, PostedAssertion, Urgency } from "../../port/marketplace.ts";
import type { Deprecation } from "../../chain/deprecation.ts";
import type { Tell } from "../../../../producer/events/events.ts";
import type { BalanceReservations } from "../../../../producer/funds/balance-reservations.ts";
import { type Duty, inTimeToReveal } from "./duty.ts";
import type { SettlementMemory } from "./settlement-memory.ts";
import type { WriteBehindLedger } from "../../../../producer/duties/write-behind-ledger.ts";

export interface DutiesParts {
  readonly market: Marketplace;
  readonly ledger: Ledger;
  readonly reservations: BalanceReservations;
  readonly clock: Clock;
  /** Milliseconds of a clock that is never set. Default: `performance.now()`. */
  readonly steadyMs?: () => number;
  /** A signal that aborts after so many milliseconds. Default: `timeoutSignal`. */
  readonly timeout?: (ms: number) => AbortSignal;
  readonly tell: Tell;
  /** Called when a settlement of ours was written down; `null` when what it paid is not known. It must not throw. */
  readonly onSettled?: (guid: Guid, payout: Nct | null) => void;
  /** Of an assertion: what costs more is not posted. */
  readonly feeCeiling?: Nct;
  /** Whether the registry takes no new bounties: then nothing is asserted that was not signed before. */
  readonly deprecation?: Pick<Deprecation, "active">;
  /** Whether a duty may be done now; what may not waits for a later block. Default: every duty may. */
  readonly may?: (duty: Duty) => boolean;
}

/** What is remembered of a bounty while the process lives. Nothing depends on it that a crash must not lose. */
export interface Recollection {
  /** Why the assertion was refused the last time, before anything was signed. */
  refusal: string | undefined;
  /** How often the reveal's bytes, signed last, were handed over again in vain. */
  timesResent: number;
  /** Which assertion the reveal signed last is for. */
  revealIndex: number | undefined;
  /** The reveal signed last certainly failed. */
  revealFailed: boolean;
  /** How often the contract said of a reveal that its window is not open. */
  refusedAsLate: number;
  /** A reveal was tried although it seems too late. */
  triedLate: boolean;
  /** What the marketplace's own announcement said a settlement of ours paid. */
  announced: Nct | undefined;
  readonly settlement: SettlementMemory;
  /** The arbiters may have agreed: it was announced, or the stream was away. It was not asked for since. */
  quorumUnheard: boolean;
  /** The market announced it. */
  quorumAnnounced: boolean;
  /** Where the event stream says that our assertion stands; anyone can say so. */
  noted: number | undefined;
  /** Resolves with where it stands when a source says so. */
  placed: PromiseWithResolvers<number>;
  /** The places that were tried without knowing where our assertion stands. */
  tried: readonly number[];
  /** Where the ledger has our assertion, and the contract says that it is not. */
  misplaced: number | undefined;
  /** A look at the market that is under way: the next who wants to know joins it. */
  look: Promise<PostedAssertion | undefined> | undefined;
}

/** One duty about one bounty: what is known of it, and what is needed to do it. */
export interface DutyContext extends Omit<DutiesParts, "ledger"> {
  readonly ledger: WriteBehindLedger;
  readonly key: BountyKey;
  readonly record: BountyRecord;
  readonly assertion: AssertionRecord;
  readonly recalled: Recollection;
  /** When we heard of the bounty; unknown after a restart. */
  readonly heardAt: number | undefined;
  /** How often in a row this duty did not succeed. */
  readonly failures: number;
  /** The newest block, asked for; many who ask at the same block get one answer. */
  readonly freshHead: () => Promise<number>;
  /** The reveal window in blocks, asked for in the same way. */
  readonly freshRevealWindow: () => Promise<number>;
  /** Aborts when the bounty needs this no longer: never for something else that waits for it. */
  readonly signal: AbortSignal;
  /** A signal that aborts when the newest block is this one or a later one, a second from now at the earliest. */
  readonly untilBlock: (block: number) => AbortSignal;
}

/** How a duty went: done, or a sentence that says why it has to be tried again. */
export type DutyResult = string | undefined;

/** Our assertion as the market lists it; `urgency` is that of what waits for the answer. */
export async function findOurs(
  { market, ledger, key, assertion, recalled, signal }: DutyContext,
  urgency?: Urgency,
): Promise<PostedAssertion | undefined> {
  const likely = ledger.assertion(key)?.index ?? assertion.index ?? recalled.noted;
  const posted = await market.ownAssertions(key.guid, { signal, urgency, likely });
  return posted.find(({ commitment }) => commitment === assertion.commitment);
}

/**
 * Our assertion as the market lists it, if it says so before that block: `slow` otherwise. The question goes on all the
 * same, and the next who asks joins it, so that an answer that takes longer than anyone waits for it comes all the same.
 */
export async function findOursBefore(
  context: DutyContext,
  block: number,
): Promise<PostedAssertion | undefined | "slow"> {
  const { recalled, untilBlock } = context;
  recalled.look ??= findOurs(context, "reveal").finally(() => {
    recalled.look = undefined;
  });
  // When it fails, there may be none left that waits for it.
  recalled.look.catch(() => undefined);
  const late = Promise.withResolvers<"slow">();
  untilBlock(block).addEventListener("abort", () => late.resolve("slow"), { once: true });
  return Promise.race([recalled.look, late.promise]);
}

/** How far the reveal window must lie behind before its end is believed without the marketplace's word. */
const WRITE_OFF_BLOCKS = 20;

/**
 * Whether it is too late for something that cannot be taken back. The event stream says so already; one frame of it can
 * be wrong, so the marketplace is asked (`inTime`, which rejects when it cannot be). Where it cannot be asked we wait,
 * with nothing to lose, until the reveal window lies `WRITE_OFF_BLOCKS` behind by the stream alone.
 */
export async function isPast(
  { market, record }: DutyContext,
  inTime: () => Promise<boolean>,
): Promise<"past" | "in-time" | "unsure"> {
  try {
    return (await inTime()) ? "in-time" : "past";
  } catch {
    const revealEnd = record.bounty.expiration + market.parameters().revealWindow;
    return market.head() >= revealEnd + WRITE_OFF_BLOCKS ? "past" : "unsure";
  }
}

/** Whether the market says, asked anew for block and window, that a reveal can still be mined in time. */
export async function isRevealable({ record, freshHead, freshRevealWindow }: DutyContext): Promise<boolean> {
  const [head, revealWindow] = await Promise.all([freshHead(), freshRevealWindow()]);
  return inTimeToReveal(record.bounty.expiration, revealWindow, head);
}

export const UNSURE =
  "too late by the event stream, but the marketplace cannot be asked for its newest block";
