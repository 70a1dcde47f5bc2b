import type { Clock } from "../../../../domain/instant.ts";
import type { Nct } from "../../../../domain/nct.ts";
import type { JournalPosition } from "../../../../ledger/records.ts";
import type { StepWork } from "../../../settlement.ts";
import type { Deprecation } from "../../chain/deprecation.ts";
import { expirationOf } from "../../port/details.ts";
import type { TellOnchain } from "../../port/events.ts";
import type { Marketplace, PostedAssertion, Urgency } from "../../port/marketplace.ts";
import { inTimeToReveal } from "../../port/windows.ts";
import type { Memory } from "./memory.ts";

/** What is needed for the steps of every bounty. */
export interface StepParts {
  readonly market: Marketplace;
  readonly clock: Clock;
  readonly tell: TellOnchain;
  /** A signal that aborts after so many milliseconds. Default: `timeoutSignal`. */
  readonly timeout?: (ms: number) => AbortSignal;
  /** Of an assertion: what costs more is not posted. */
  readonly feeCeiling?: Nct | undefined;
  /** Whether the registry takes no new bounties: then nothing is asserted that was not signed before. */
  readonly deprecation?: Pick<Deprecation, "active">;
}

/** One duty about one bounty: what is known of it, and what is needed to do it. */
export interface DutyContext extends StepParts, Omit<StepWork<Memory>, "memory"> {
  readonly recalled: Memory;
  /** The newest block, asked for; many who ask at the same block get one answer. */
  readonly freshHead: () => Promise<number>;
  /** The reveal window in blocks, asked for in the same way. */
  readonly freshRevealWindow: () => Promise<number>;
  /** A signal that aborts when the newest block is this one or a later one, a second from now at the earliest. */
  readonly untilBlock: (block: number) => AbortSignal;
  /** The entry up to which all that was signed is of a chain that is no more. */
  readonly journalBefore: () => JournalPosition;
}

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
    const revealEnd = expirationOf(record.bounty) + market.parameters().revealWindow;
    return market.head() >= revealEnd + WRITE_OFF_BLOCKS ? "past" : "unsure";
  }
}

/** Whether the market says, asked anew for block and window, that a reveal can still be mined in time. */
export async function isRevealable({ record, freshHead, freshRevealWindow }: DutyContext): Promise<boolean> {
  const [head, revealWindow] = await Promise.all([freshHead(), freshRevealWindow()]);
  return inTimeToReveal(expirationOf(record.bounty), revealWindow, head);
}

export const UNSURE =
  "too late by the event stream, but the marketplace cannot be asked for its newest block";
