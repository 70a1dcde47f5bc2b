import { hasBit } from "../domain/bits.ts";
import { formatNct, type Nct } from "../domain/nct.ts";
import type { Outcome } from "../market/port.ts";
import { giveUp, whyNeverPosted } from "./chase.ts";
import { consensusOf } from "./consensus.ts";
import type { DutyResult, Errand } from "./errand.ts";

type Settlement = Outcome<{ readonly payout: Nct }>;

/**
 * Failures, some 30 blocks with the pauses between them, after which another settlement is signed though the first may
 * still be mined. It may be held up by a nonce before its own, which the next signature fills, or its bytes may not be
 * known any more; should both be mined, one of them reverts.
 */
const LOST_AFTER = 5;

/** A node that is a block behind the announcement does not know of it yet. */
const QUORUM_ASKS = 3;

/**
 * Whether the arbiters agreed: it was announced, which anybody can, or nobody listened. A settlement before that reverts;
 * not knowing costs time only, because without a quorum the end of the vote window settles it.
 */
export async function askQuorum(errand: Errand): Promise<DutyResult> {
  const { market, books, key, recalled, failures, signal } = errand;
  const reached = await market.quorumReached(key.guid, signal);
  if (reached) books.recordQuorum(key);
  else if (recalled.quorumAnnounced && failures + 1 < QUORUM_ASKS)
    return "a quorum was announced that the marketplace does not show";
  recalled.quorumUnheard = false;
  recalled.quorumAnnounced = false;
  return undefined;
}

export async function settleBounty(errand: Errand): Promise<DutyResult> {
  const { market, books, key, record } = errand;
  if (record.revealMissed && record.state !== "settling") {
    const never = await whyNeverPosted(errand);
    if (never !== undefined) return giveUp(errand, "post-failed", never);
  }
  const outcome = await market.settle(key.guid, (signed) => books.recordSigned(key, "settle", signed));
  if (!wasSettled(outcome)) return conclude(errand, outcome);
  // By an earlier transaction of ours, as a rule: its receipt says what it paid.
  const earlier = await market.lookUp(books.signed(key, "settle"));
  return conclude(errand, earlier.kind === "done" ? earlier : outcome);
}

/**
 * A settlement was sent, fate unknown:
 *
 *     handing over again ──can never be mined────────────────────────────► signed anew
 *          └──asking for receipts ──mined────────────────────────────────► settled
 *                     ├──reverted────────────────────────────────────────► signed anew
 *                     └──nobody knows ──the market announced it──────────► settled
 *                               ├──in vain for long──────────────────────► signed anew
 *                               └──► handing over again, after a pause
 *
 * Handed over first, because asking for the receipt of what never arrived takes long. A receipt is given with one block
 * on top, and that is final here: should both blocks be taken back, nodes put what they held into their pool again, and
 * unlike an assertion or a reveal a settlement may be mined in whichever block comes.
 */
export async function confirmSettling(errand: Errand): Promise<DutyResult> {
  const { market, books, key, failures, recalled, signal } = errand;
  const signed = books.lastSigned(key, "settle");
  const resent = signed.length === 0 ? undefined : await market.resend(signed, signal);
  if (resent?.kind === "void") return settleBounty(errand);
  const fate = await market.lookUp(books.signed(key, "settle"), signal);
  if (fate.kind === "failed" && !wasSettled(fate)) return settleBounty(errand);
  if (fate.kind !== "unknown") return conclude(errand, fate);
  // A proxy that drops the bodies of GET requests leaves nothing else to go by.
  if (recalled.announced !== undefined) return conclude(errand, done(recalled.announced));
  return failures >= LOST_AFTER ? settleBounty(errand) : fate.reason;
}

/** The contract settles once for each account: a refusal for that reason is a settlement whose answer we missed. */
const wasSettled = (outcome: Settlement): boolean =>
  outcome.kind === "failed" && /already settled/i.test(outcome.reason);

const done = (payout: Nct): Settlement => ({ kind: "done", value: { payout } });

async function conclude(errand: Errand, outcome: Settlement): Promise<DutyResult> {
  const { books, tell, key, assertion, recalled } = errand;
  if (outcome.kind !== "done" && !wasSettled(outcome)) return outcome.reason;
  const payout = outcome.kind === "done" ? outcome.value.payout : (recalled.announced ?? null);
  const { truth, ...judged } = await learnTruth(errand);
  books.recordSettled(key, payout, truth);
  tell("assertion.settled", {
    guid: key.guid,
    payout: payout === null ? "unknown" : formatNct(payout),
    profit: payout === null ? "unknown" : formatNct(payout - assertion.stake - assertion.fee),
    ...judged,
  });
  return undefined;
}

/** What the arbiters decided goes into the ledger, to learn from. Not knowing it delays nothing. */
async function learnTruth({ market, key, record, assertion }: Errand) {
  const votes = await market.votes(key.guid).catch(() => []);
  const truth = consensusOf(votes, record.bounty.artifactCount) ?? [];
  const spoken = truth.filter((_, index) => hasBit(assertion.mask, index)).length;
  const right = truth.filter(
    (malicious, index) => hasBit(assertion.mask, index) && hasBit(assertion.verdicts, index) === malicious,
  ).length;
  return { truth, right, wrong: spoken - right };
}
