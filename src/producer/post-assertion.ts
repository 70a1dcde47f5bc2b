import { formatNct } from "../domain/nct.ts";
import { inTimeToPost, inTimeToReveal } from "./duty.ts";
import { type DutyResult, type Errand, findOurs, isPast, UNSURE } from "./errand.ts";

/** An unsigned transaction that is refused may have been built from a passing state of the gateway. */
const BUILDS = 2;

/** Signs and sends what was planned; the same commitment however often. */
export async function postAssertion(errand: Errand): Promise<DutyResult> {
  const { market, books, purse, clock, tell, key, record, assertion, recalled, heardAt, signal } = errand;
  const { bids, mask, commitment, fee } = assertion;
  const { feeCeiling, deprecation } = errand;
  if (record.state === "planned" && deprecation?.active() === true) return giveUp(errand, "deprecated");
  const outcome = await market.assert(
    { guid: key.guid, bids, mask, artifactCount: record.bounty.artifactCount, commitment, fee, feeCeiling },
    (signed, current) => {
      books.journalAssertion(key, signed, current === fee ? undefined : current);
      purse.reserve(key.guid, assertion.stake + current);
    },
    {
      signal,
      onRequest: () => {
        if (heardAt !== undefined) books.recordRequested(key, clock.now() - heardAt);
      },
    },
  );
  if (outcome.kind === "done") {
    asserted(errand, outcome.value.index);
    return undefined;
  }
  if (outcome.kind === "failed" && !outcome.retryable && books.signed(key, "assert").length === 0) {
    recalled.refusals++;
    if (recalled.refusals >= BUILDS) return giveUp(errand, "post-failed", outcome.reason);
    return outcome.reason;
  }
  tell("assertion.unconfirmed", { guid: key.guid, reason: outcome.reason });
  return outcome.reason;
}

/**
 * Signed, fate unknown:
 *
 *     looking ──listed───────────────────────────────────────────────────────────────► asserted
 *        └──handing over again ──can never be mined, in time─────────────────────────► signed anew
 *                 └──asking for receipts ──mined─────────────────────────────────────► asserted
 *                             ├──reverted for a passing reason, or never sent, in time► signed anew
 *                             ├──reverted for good───────────────────────────────────► abandoned
 *                             └──nobody knows──► looking, at the next block, until the reveal window has passed
 *
 * Handed over before anybody is asked for receipts, because that question can take longer than is left, and also when it
 * is too late for the contract: an account nonce that is never used holds up everything behind it. A list can leave an
 * entry out, so as long as a reveal could save a stake that is there after all, it is looked for.
 */
export async function confirmPosting(errand: Errand): Promise<DutyResult> {
  const { market, record } = errand;
  const { expiration } = record.bounty;
  const inTime = inTimeToPost(expiration, market.head());
  const listed = await findOurs(errand).catch((error: unknown) => {
    if (!inTime) throw error;
    return undefined;
  });
  if (listed !== undefined) {
    asserted(errand, listed.index);
    return undefined;
  }
  const chased = await chase(errand);
  if (chased.kind === "there") {
    asserted(errand, chased.index);
    return undefined;
  }
  if (chased.kind === "never") return giveUp(errand, "post-failed", chased.reason);
  if (chased.kind === "anew" && inTimeToPost(expiration, market.head())) return postAssertion(errand);
  const revealable = (head: number): boolean =>
    inTimeToReveal(expiration, market.parameters().revealWindow, head);
  if (revealable(market.head())) return chased.reason;
  const past = await isPast(errand, revealable);
  if (past === "past") return giveUp(errand, "post-failed", chased.reason);
  return past === "unsure" ? UNSURE : chased.reason;
}

/** It was on the market: is it still, and where? Blocks can be taken back, and what they held with them. */
export async function verifyPosting(errand: Errand): Promise<DutyResult> {
  const { market, books, tell, key, record, assertion } = errand;
  const ours = await findOurs(errand);
  if (ours !== undefined) {
    if (ours.index !== assertion.index) books.recordAsserted(key, ours.index);
    return undefined;
  }
  tell("assertion.vanished", { guid: key.guid, what: "assertion" });
  const chased = await chase(errand);
  if (chased.kind === "there") {
    if (chased.index !== assertion.index) books.recordAsserted(key, chased.index);
    return undefined;
  }
  if (chased.kind === "anew" && inTimeToPost(record.bounty.expiration, market.head()))
    return postAssertion(errand);
  return chased.reason;
}

type Chased =
  | { readonly kind: "there"; readonly index: number }
  /** What was signed can never be mined, or failed for a reason that passes. */
  | { readonly kind: "anew"; readonly reason: string }
  /** It failed for a reason that stays. */
  | { readonly kind: "never"; readonly reason: string }
  | { readonly kind: "open"; readonly reason: string };

/** Hands over again what was signed last, and asks what became of all that was signed. */
async function chase({ market, books, key, signal }: Errand): Promise<Chased> {
  const signed = books.lastSigned(key, "assert");
  const resent = signed.length === 0 ? undefined : await market.resend(signed, signal);
  if (resent?.kind === "void") return { kind: "anew", reason: resent.reason };
  const fate = await market.lookUp(books.signed(key, "assert"), signal);
  if (fate.kind === "done") {
    const { index } = fate.value;
    if (index !== undefined) return { kind: "there", index };
    return { kind: "open", reason: "mined, but the marketplace does not list it yet" };
  }
  // The contract takes one of ours: what it refused for this reason proves that another is there.
  if (fate.kind === "unknown" || /already asserted/i.test(fate.reason))
    return { kind: "open", reason: fate.reason };
  return { kind: fate.retryable ? "anew" : "never", reason: fate.reason };
}

/** Planned, never sent, and too late by the event stream. */
export async function giveUpPlanned(errand: Errand): Promise<DutyResult> {
  const { expiration } = errand.record.bounty;
  const past = await isPast(errand, (head) => inTimeToPost(expiration, head));
  if (past === "in-time") return postAssertion(errand);
  return past === "past" ? giveUp(errand, "too-late") : UNSURE;
}

/** Ends a bounty on which no stake was placed after all. */
function giveUp(
  { books, purse, tell, key }: Errand,
  why: "too-late" | "post-failed" | "deprecated",
  detail?: string,
): undefined {
  books.abandon(key, why);
  purse.release(key.guid);
  tell("bounty.abandoned", { guid: key.guid, why, ...(detail === undefined ? {} : { detail }) });
}

function asserted({ books, purse, tell, key, assertion }: Errand, index: number): void {
  books.recordAsserted(key, index);
  purse.spent(key.guid);
  const ms = books.assertion(key)?.requestedMs ?? null;
  tell("assertion.posted", { guid: key.guid, index, stake: formatNct(assertion.stake), ms });
}
