import { timeoutSignal } from "../../../../async/long-timer.ts";
import { formatNct } from "../../../../domain/nct.ts";
import { stringifyJson } from "../../../../json/json.ts";
import type { StepResult } from "../../../settlement.ts";
import { expirationOf } from "../../port/details.ts";
import { entryOf, transactionOf } from "../../port/journal.ts";
import type { Outcome, PostedAssertion } from "../../port/marketplace.ts";
import { inTimeToReveal, revealIsDue, revealIsUrgent } from "../../port/windows.ts";
import {
  type DutyContext,
  findOurs,
  findOursBefore,
  isPast,
  isRevealable,
  UNSURE,
} from "../record/duty-context.ts";
import { assertionFound } from "./assertion-found.ts";
import { mayBeMined, placesToTry } from "./places.ts";
import { giveUp, whyNeverPosted } from "./signed-fate.ts";

/** A reveal's metadata may have at most this many characters when it is given inline. */
const MAX_INLINE_METADATA = 1_024;
/** What a window of a few blocks leaves for one more attempt to store the metadata. */
const LAST_UPLOAD_MS = 1_000;
/**
 * So often the same bytes are handed over before another reveal is signed though the first may still be mined. It may be
 * held up by a nonce before its own, which the next signature fills; should both be mined, one of them reverts.
 */
const STUCK_AFTER = 2;
/** Blocks. A receipt is there when the reveal was mined and has one more block on top. */
const RECEIPT_BLOCKS = 3;
/** Blocks. What the market shows is asked for next to what is at stake: without an answer the reveal goes its way. */
const LOOK_BLOCKS = 2;
const NOT_TOLD = "the marketplace does not say where our assertion stands";
/** So many refusals of the contract because of its window outweigh a marketplace that tells the same block for ever. */
const LATE_AFTER = 3;

type Listed = readonly PostedAssertion[] | undefined;
/** Nothing says where our assertion stands, and it is time to try. */
interface NotTold {
  readonly listed: Listed;
}

/** Stores the metadata before the short reveal window opens. */
export async function publishMetadata(context: DutyContext): Promise<StepResult> {
  const { market, ledger, key, assertion, signal } = context;
  ledger.recordMetadataUri(key, await market.publishMetadata(assertion.metadata, signal));
  return undefined;
}

/**
 * The window is open. The commitment is ours; all that is missing may be the place of our assertion:
 *
 *     known ──from its receipt, the list or the stream──────────────────────────────────► revealing there
 *       └──the contract says that it is not there──► not known
 *     not known ──the list says so in two blocks────────────────────────────────────────► revealing there
 *         └──it does not answer, or leaves ours out, and the window is about to close
 *                ├──it may have been mined──► revealing at the places that can be tried, the likely ones first
 *                └──its account nonce is certainly unused──► waiting: nothing was staked
 *
 * So it waits for no confirmation of the post. At a wrong place the contract refuses, which costs one transaction that
 * reverts; a missed window costs the stake. `seenAt` is where the market shows our assertion, which after a
 * reorganisation may not be where it was posted. The gateway may wait for a receipt as long as the window: when there is
 * none after a few blocks, the market is looked at.
 */
export async function revealAssertion(context: DutyContext, seenAt?: number): Promise<StepResult> {
  const { assertion, recalled } = context;
  const told = recalled.misplaced === assertion.index ? undefined : assertion.index;
  const known = seenAt ?? told ?? recalled.noted;
  const place = known ?? (await askPlace(context));
  if (typeof place === "string") return place;
  if (typeof place === "object") return revealAtPlaces(context, place.listed);
  const waiting = new AbortController();
  const outcome = await sendReveal(context, place, waiting);
  if (outcome.kind === "done") {
    revealed(context, place);
    return undefined;
  }
  if (outcome.kind === "unknown" && waiting.signal.aborted) return confirmReveal(context);
  const isMisplaced = outcome.kind === "failed" && outcome.refusal === "wrong-place";
  if (isMisplaced && place === assertion.index) recalled.misplaced = place;
  if (outcome.kind === "failed" && (recalled.noted === place || isMisplaced)) {
    if (recalled.noted === place) recalled.noted = undefined;
    recalled.placed = Promise.withResolvers();
  }
  recalled.revealFailed = outcome.kind === "failed";
  return outcome.reason;
}

/** `waiting` aborts when the receipt was waited for long enough. */
async function sendReveal(
  context: DutyContext,
  index: number,
  waiting: AbortController,
): Promise<Outcome<void>> {
  const { market, ledger, key, record, assertion, recalled, untilBlock } = context;
  const { nonce, verdicts } = assertion;
  const { artifactCount } = record.bounty;
  const metadata = await metadataFor(context);
  const outcome = await market.reveal(
    { guid: key.guid, index, nonce, verdicts, artifactCount, metadata },
    (signed) => {
      recalled.timesResent = 0;
      recalled.revealIndex = index;
      recalled.revealFailed = false;
      ledger.journal(key, "reveal", signed.map(entryOf));
      if (isInTime(context))
        untilBlock(market.head() + RECEIPT_BLOCKS).addEventListener("abort", () => waiting.abort());
    },
    waiting.signal,
  );
  if (outcome.kind === "failed" && outcome.refusal === "not-in-reveal-window") recalled.refusedAsLate++;
  return outcome;
}

/**
 * Where our assertion stands, by the list or the first other source, or why that is not known. A list that leaves ours out is
 * one answer, and proves no more than none: when the window is about to close both are `NotTold`.
 */
async function askPlace(context: DutyContext): Promise<number | NotTold | string> {
  const { market, record, recalled, assertion } = context;
  const look = findOursBefore(context, market.head() + LOOK_BLOCKS).catch(() => "slow" as const);
  const ours = await Promise.race([look, recalled.placed.promise]);
  if (typeof ours === "number") return ours;
  if (ours !== undefined && ours !== "slow") {
    assertionFound(context, ours.index);
    return ours.index;
  }
  const expiration = expirationOf(record.bounty);
  const isUrgent = revealIsUrgent(expiration, market.parameters().revealWindow, market.head());
  if (isUrgent && ours === "slow") return { listed: undefined };
  if (isUrgent) {
    const [mayBeThere, listed] = await Promise.all([canBeMined(context), listSoon(context)]);
    if (mayBeThere) return { listed };
  }
  if (assertion.index !== null) return assertion.index;
  return ours === "slow" ? NOT_TOLD : "our assertion is not listed on the marketplace";
}

/** All that is listed, to see where ours may stand; undefined when that takes longer than a block, or cannot be had. */
async function listSoon({ market, key, signal, untilBlock }: DutyContext): Promise<Listed> {
  const late = Promise.withResolvers<undefined>();
  untilBlock(market.head() + 1).addEventListener("abort", () => late.resolve(undefined), { once: true });
  return Promise.race([market.assertions(key.guid, signal).catch(() => undefined), late.promise]);
}

/** Asked anew each time: a node that lags behind may have caught up by the next block. */
async function canBeMined(context: DutyContext): Promise<boolean> {
  const { market, ledger, key, untilBlock } = context;
  const late = Promise.withResolvers<undefined>();
  untilBlock(market.head() + 1).addEventListener("abort", () => late.resolve(undefined), { once: true });
  const mined = await Promise.race([market.minedCount().catch(() => undefined), late.promise]);
  return mayBeMined({
    first: ledger.firstSequence(key, "assert"),
    mined,
    seen: ledger.takenSequence(context.journalBefore()),
  });
}

/** Nothing says where our assertion stands: the contract takes a reveal in its place and refuses it in all others. */
async function revealAtPlaces(context: DutyContext, listed: Listed): Promise<StepResult> {
  const { market, recalled, assertion } = context;
  const told = assertion.index ?? undefined;
  const places = placesToTry({
    account: market.account,
    told,
    listed,
    tried: recalled.tried,
  });
  if (places.length === 0) return NOT_TOLD;
  recalled.tried = [...recalled.tried, ...places];
  const waiting = new AbortController();
  const outcomes = await Promise.all(places.map((place) => sendReveal(context, place, waiting)));
  const taken = outcomes.findIndex(({ kind }) => kind === "done");
  if (taken >= 0) {
    revealed(context, places[taken]!);
    return undefined;
  }
  recalled.revealFailed = outcomes.every(({ kind }) => kind === "failed");
  return `${NOT_TOLD}: tried places ${places.join(", ")}`;
}

/**
 * A reveal was sent, fate unknown:
 *
 *     looking ──shown as revealed──► revealed
 *        ├──not shown, window open, it certainly failed, or our assertion is elsewhere──► signed anew
 *        ├──not shown, or not to be asked, window open─────► handing over again ──can never be mined──► signed anew
 *        │          ▲                                              └──sent, or not known────► looking, at the next block
 *        └──window closed──► missed
 *
 * Receipts are not asked for: that can take as long as the window. So can the list of assertions, where the metadata
 * that others give with their reveals is slow to come: while there is time, nothing waits for it longer than two blocks,
 * and the question goes on meanwhile. The contract takes one reveal, and without one every bid is lost.
 */
export async function confirmReveal(context: DutyContext): Promise<StepResult> {
  const { market, record } = context;
  const expiration = expirationOf(record.bounty);
  const { revealWindow } = market.parameters();
  const ours = await findOursSoon(context);
  if (ours?.revealed) {
    revealed(context, ours.index);
    return undefined;
  }
  if (isInTime(context)) return revealAgain(context, ours);
  // It may be in the last block of the window, which the node that is asked has not seen yet.
  if (market.head() < expiration + revealWindow) return "the reveal window closes with this block";
  return missReveal(context, ours);
}

/** While there is time, whatever keeps the market from showing our assertion soon counts as not shown. */
async function findOursSoon(context: DutyContext): Promise<PostedAssertion | undefined> {
  if (isInTime(context)) {
    const ours = await findOursBefore(context, context.market.head() + LOOK_BLOCKS).catch(
      () => "slow" as const,
    );
    if (ours !== "slow") return ours;
    if (isInTime(context)) return undefined;
  }
  // The window closed, perhaps meanwhile, and now there is nothing to hurry for.
  return findOurs(context, "reveal");
}

/** The market knew our verdicts: does it still? Blocks can be taken back, and what they held with them. */
export async function verifyReveal(context: DutyContext): Promise<StepResult> {
  const ours = await findOurs(context);
  if (ours?.revealed) return undefined;
  context.tell("assertion.vanished", { guid: context.key.guid, what: "reveal" });
  // A list that leaves our assertion out does not say that it is not revealed.
  return ours === undefined ? resendReveal(context) : revealAgain(context, ours);
}

/**
 * The window closed on us, by the newest block and the window that we know:
 *
 *     asking for both anew ──there is time──────────────────────────────────► revealing
 *        └──too late ──not listed, and can never be mined any more──────────► abandoned: nothing was staked
 *              └──otherwise ──not tried yet──► revealing all the same, once
 *                    └──tried──► written off, and settled all the same
 *
 * Both are answers of one gateway, and one wrong answer must not cost a stake. The contract alone knows: a reveal that
 * really is too late reverts, which costs nothing on a chain whose gas is free and the gas of one transaction elsewhere,
 * never more than a stake. In the other direction a marketplace that tells the same block for ever is believed only until
 * the contract has refused for lateness a few times.
 */
export async function missReveal(context: DutyContext, seen?: PostedAssertion): Promise<StepResult> {
  const { ledger, tell, key, record, assertion, recalled, freshHead, freshRevealWindow } = context;
  const past = await isPast(context, () => isRevealable(context));
  if (past === "unsure") return UNSURE;
  if (past === "in-time" && recalled.refusedAsLate < LATE_AFTER) {
    if (revealIsDue(expirationOf(record.bounty), await freshRevealWindow(), await freshHead()))
      return revealAgain(context, seen);
    return "the marketplace's newest block is not the event stream's";
  }
  if (seen === undefined) {
    const never = await whyNeverPosted(context);
    if (never !== undefined) return giveUp(context, "post-failed", never);
  }
  if (!recalled.triedLate) {
    recalled.triedLate = true;
    return revealAgain(context, seen);
  }
  ledger.recordRevealMissed(key);
  tell("assertion.reveal-missed", { guid: key.guid, stake: formatNct(assertion.stake) });
  return undefined;
}

const isInTime = ({ market, record }: DutyContext): boolean =>
  inTimeToReveal(expirationOf(record.bounty), market.parameters().revealWindow, market.head());

async function revealAgain(context: DutyContext, ours: PostedAssertion | undefined): Promise<StepResult> {
  const { assertion, recalled } = context;
  const moved = ours !== undefined && ours.index !== (recalled.revealIndex ?? assertion.index);
  // Each place is tried once; the bytes of one of them say nothing of the others.
  const isSearched = ours === undefined && assertion.index === null && recalled.tried.length > 0;
  const mustSignAnew = recalled.revealFailed || moved || isSearched || recalled.timesResent >= STUCK_AFTER;
  return mustSignAnew ? revealAssertion(context, ours?.index) : resendReveal(context, ours?.index);
}

async function resendReveal(context: DutyContext, seenAt?: number): Promise<StepResult> {
  const { market, ledger, key, recalled, signal } = context;
  const signed = ledger.lastEntries(key, "reveal").map(transactionOf);
  if (signed.length === 0) return revealAssertion(context, seenAt);
  recalled.timesResent++;
  const resent = await market.resend(signed, signal, "reveal");
  if (resent.kind === "void") return revealAssertion(context, seenAt);
  return resent.kind === "sent" ? "not shown by the marketplace yet, and handed over again" : resent.reason;
}

/** The published URI; failing that whatever fits, because an assertion that is not revealed loses every bid. */
async function metadataFor(context: DutyContext): Promise<string> {
  const { ledger, key } = context;
  const assertion = ledger.assertion(key) ?? context.assertion;
  const timeout = context.timeout ?? timeoutSignal;
  if (assertion.metadataUri !== null) return assertion.metadataUri;
  try {
    await publishMetadata({ ...context, signal: timeout(LAST_UPLOAD_MS) });
    return ledger.assertion(key)?.metadataUri ?? "";
  } catch {
    const inline = stringifyJson(assertion.metadata);
    return inline.length <= MAX_INLINE_METADATA ? inline : "";
  }
}

function revealed(context: DutyContext, index: number): void {
  const { ledger, tell, key } = context;
  if (ledger.find(key)?.state === "posting") assertionFound(context, index);
  ledger.recordRevealed(key);
  assertionFound(context, index);
  tell("assertion.revealed", { guid: key.guid, index });
}
