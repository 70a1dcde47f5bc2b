import { describeError, Fault } from "../../../../domain/fault.ts";
import type { BountyState } from "../../../../domain/lifecycle.ts";
import type { StepResult } from "../../../settlement.ts";
import { detailsOf, expirationOf } from "../../port/details.ts";
import { entryOf } from "../../port/journal.ts";
import type { PostedAssertion } from "../../port/marketplace.ts";
import { inTimeToPost, inTimeToReveal, revealIsDue } from "../../port/windows.ts";
import { type DutyContext, findOurs, isPast, isRevealable, UNSURE } from "../record/duty-context.ts";
import { assertionFound } from "./assertion-found.ts";
import { fateOfSigned, giveUp } from "./signed-fate.ts";

/**
 * Signs and sends what was planned; the same commitment however often. What the wallet refuses to sign is built again at
 * every block while there is time: the gateway may have been in a passing state. What was signed waits for its receipt
 * however long that takes, while the reveal goes its own way; what is not signed by the expiration is not signed any more.
 */
export async function postAssertion(context: DutyContext): Promise<StepResult> {
  const { market, ledger, reservations, clock, tell, key, record, assertion, recalled, heardAt } = context;
  const expiration = expirationOf(record.bounty);
  const { bids, mask, commitment, fee } = assertion;
  const { feeCeiling, deprecation } = context;
  if (record.state === "planned" && deprecation?.active() === true) return giveUp(context, "deprecated");
  const late = new AbortController();
  let isSigned = false;
  context.untilBlock(expiration).addEventListener("abort", () => {
    if (!isSigned) late.abort(tooLate());
  });
  const outcome = await market.assert(
    { guid: key.guid, bids, mask, artifactCount: record.bounty.artifactCount, commitment, fee, feeCeiling },
    (signed, current) => {
      // What was signed before may be on the market, and its reveal on the way: nothing else is signed beside that.
      const { revealWindow } = market.parameters();
      const isFirst = ledger.find(key)?.state === "planned";
      if (!isFirst && revealIsDue(expiration, revealWindow, market.head())) throw tooLate();
      ledger.journalAssertion(key, signed.map(entryOf), current === fee ? undefined : current);
      isSigned = true;
      reservations.reserve(key.guid, assertion.stake + current);
    },
    {
      signal: AbortSignal.any([context.signal, late.signal]),
      onRequest: () => {
        if (heardAt !== undefined) ledger.recordRequested(key, clock.now() - heardAt);
      },
    },
  );
  if (outcome.kind === "done") {
    assertionFound(context, outcome.value.index);
    return undefined;
  }
  if (outcome.kind === "failed" && !outcome.retryable && ledger.references(key, "assert").length === 0) {
    recalled.refusal = outcome.reason;
    return outcome.reason;
  }
  tell("assertion.unconfirmed", { guid: key.guid, reason: outcome.reason });
  return outcome.reason;
}

const tooLate = (): Fault =>
  new Fault("TOO_LATE", "The assertion was not signed before the bounty expired.", { retryable: false });

/**
 * Signed, fate unknown:
 *
 *     looking ──listed───────────────────────────────────────────────────────────────► asserted
 *        └──handing over again ──can never be mined, in time─────────────────────────► signed anew
 *                 └──asking for receipts ──mined─────────────────────────────────────► asserted
 *                             ├──reverted for a passing reason, or never sent, in time► signed anew
 *                             ├──reverted for good───────────────────────────────────► abandoned
 *                             ├──refused, and another assertion of ours is listed────► abandoned
 *                             └──not known──► looking, at the next block, until the reveal window has passed
 *
 * The bytes are handed over before receipts are asked for, because that question can take longer than is left, and also when it
 * is too late for the contract: an account nonce that is never used holds up everything behind it. A list can leave an
 * entry out, so as long as a reveal could save a stake that is there after all, it is looked for.
 */
export async function confirmPosting(context: DutyContext): Promise<StepResult> {
  const { market, record, tell } = context;
  const expiration = expirationOf(record.bounty);
  const inTime = inTimeToPost(expiration, market.head());
  const listed = await findOurs(context).catch((error: unknown) => {
    if (!inTime) throw error;
    return undefined;
  });
  if (listed !== undefined) {
    assertionFound(context, listed.index);
    return undefined;
  }
  const fate = await fateOfSigned(context);
  if (fate.kind === "there") {
    assertionFound(context, fate.index);
    return undefined;
  }
  // Found, and perhaps revealed, while this asked.
  if (!isStill(context, "posting")) return undefined;
  if (fate.kind === "never") return giveUp(context, "post-failed", fate.reason);
  const stands = fate.kind === "taken" ? await findAnother(context) : undefined;
  if (stands !== undefined && isStill(context, "posting")) {
    tell("assertion.another-stands", { guid: record.bounty.guid, index: stands.index, hint: ANOTHER_HINT });
    return giveUp(context, "asserted-before", fate.reason);
  }
  if (fate.kind === "anew" && inTimeToPost(expiration, market.head())) return postAssertion(context);
  const revealable = (head: number): boolean =>
    inTimeToReveal(expiration, market.parameters().revealWindow, head);
  if (revealable(market.head())) return fate.reason;
  const past = await isPast(context, () => isRevealable(context));
  if (past === "past" && isStill(context, "posting")) return giveUp(context, "post-failed", fate.reason);
  return past === "unsure" ? UNSURE : fate.reason;
}

/** The reveal's track may have gone on while this one asked. */
const isStill = ({ ledger, key }: DutyContext, state: BountyState): boolean =>
  ledger.find(key)?.state === state;

const ANOTHER_HINT =
  "It is of a ledger that is not this one. Stop the producer and run `microengine recover` before the reveal window closes.";

/**
 * The assertion of ours that stands in the place of the one that the contract refused; undefined unless the marketplace
 * lists it twice and does not list the refused one. The record is given up for it, so no single answer may decide.
 */
async function findAnother(context: DutyContext): Promise<PostedAssertion | undefined> {
  const { market, key, assertion, signal } = context;
  const look = () => market.ownAssertions(key.guid, { signal });
  try {
    const [first, second] = [await look(), await look()];
    const isRefused = ({ commitment }: PostedAssertion): boolean => commitment === assertion.commitment;
    if (first.some(isRefused) || second.some(isRefused)) return undefined;
    return second.find(({ commitment }) => first.some((other) => other.commitment === commitment));
  } catch {
    return undefined;
  }
}

/** It was on the market: is it still, and where? Blocks can be taken back, and what they held with them. */
export async function verifyPosting(context: DutyContext): Promise<StepResult> {
  const { market, tell, key, record, failures } = context;
  const [ours, doubt] = await Promise.all([findOurs(context), correctExpiration(context)]);
  if (ours !== undefined) {
    assertionFound(context, ours.index);
    return doubt;
  }
  if (failures === 0) tell("assertion.vanished", { guid: key.guid, what: "assertion" });
  const fate = await fateOfSigned(context);
  if (fate.kind === "there") {
    assertionFound(context, fate.index);
    return "there by its receipt, which can be made up, and not listed by the marketplace";
  }
  if (fate.kind === "anew" && inTimeToPost(expirationOf(record.bounty), market.head()))
    return postAssertion(context);
  return fate.reason;
}

/**
 * The reveal is due by the expiration, which we have from the marketplace's answers; blocks that are taken back move it
 * too. Another one is believed when two answers give it. Resolves to what is in doubt.
 */
async function correctExpiration(context: DutyContext): Promise<string | undefined> {
  const { market, ledger, tell, key, record, signal } = context;
  const expiration = expirationOf(record.bounty);
  try {
    const first = await market.bounty(key.guid, signal);
    if (first === null || expirationOf(first) === expiration) return undefined;
    const second = await market.bounty(key.guid, signal);
    const corrected = expirationOf(first);
    if (second === null || expirationOf(second) !== corrected)
      return "the marketplace tells of different blocks in which the bounty expires";
    ledger.recordDetails(key, detailsOf(corrected));
    tell("bounty.expiration-corrected", { guid: key.guid, from: expiration, to: corrected });
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

/** Planned, never sent, and too late by the event stream. */
export async function giveUpPlanned(context: DutyContext): Promise<StepResult> {
  const expiration = expirationOf(context.record.bounty);
  const { recalled, freshHead } = context;
  const past = await isPast(context, async () => inTimeToPost(expiration, await freshHead()));
  if (past === "in-time") return postAssertion(context);
  if (past === "unsure") return UNSURE;
  const { refusal } = recalled;
  return refusal === undefined ? giveUp(context, "too-late") : giveUp(context, "post-failed", refusal);
}
