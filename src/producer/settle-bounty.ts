import { hasBit } from "../domain/bits.ts";
import { formatNct, type Nct } from "../domain/nct.ts";
import type { Outcome } from "../market/port.ts";
import { consensusOf } from "./consensus.ts";
import type { DutyResult, Errand } from "./errand.ts";

type Settlement = Outcome<{ readonly payout: Nct }>;

/** Failures after which a settlement that nobody has seen is taken for lost; with the pauses between, some 30 blocks. */
const LOST_AFTER = 5;

export async function settleBounty(errand: Errand): Promise<DutyResult> {
  const { market, ledger, key } = errand;
  const outcome = await market.settle(key.guid, (signed) => ledger.recordSigned(key, "settle", signed));
  if (!wasSettled(outcome)) return conclude(errand, outcome);
  // By an earlier transaction of ours, as a rule: its receipt says what it paid.
  const earlier = await market.lookUp(ledger.signed(key, "settle"));
  return conclude(errand, earlier.kind === "done" ? earlier : outcome);
}

/**
 * A settlement was sent, fate unknown: look before sending another. A node can lose what it had accepted, so one that
 * stays unknown is sent anew in the end: the contract pays once, whichever of them is mined.
 */
export async function confirmSettling(errand: Errand): Promise<DutyResult> {
  const { market, ledger, key, failures } = errand;
  const fate = await market.lookUp(ledger.signed(key, "settle"));
  const reverted = fate.kind === "failed" && !wasSettled(fate);
  const lost = fate.kind === "unknown" && failures >= LOST_AFTER;
  return reverted || lost ? settleBounty(errand) : conclude(errand, fate);
}

/** The contract settles once for each account: a refusal for that reason is a settlement whose answer we missed. */
const wasSettled = (outcome: Settlement): boolean =>
  outcome.kind === "failed" && /already settled/i.test(outcome.reason);

async function conclude(errand: Errand, outcome: Settlement): Promise<DutyResult> {
  const { ledger, tell, key, assertion } = errand;
  if (outcome.kind !== "done" && !wasSettled(outcome)) return outcome.reason;
  const payout = outcome.kind === "done" ? outcome.value.payout : null;
  const judged = await learnTruth(errand);
  ledger.recordSettled(key, payout);
  tell("assertion.settled", {
    guid: key.guid,
    payout: payout === null ? "unknown" : formatNct(payout),
    profit: payout === null ? "unknown" : formatNct(payout - assertion.stake - assertion.fee),
    ...judged,
  });
  return undefined;
}

/** What the arbiters decided goes into the ledger, to learn from. Not knowing it delays nothing. */
async function learnTruth({ market, ledger, key, record, assertion }: Errand) {
  const votes = await market.votes(key.guid).catch(() => []);
  const truth = consensusOf(votes, record.bounty.artifactCount) ?? [];
  ledger.recordTruth(key, truth);
  const spoken = truth.filter((_, index) => hasBit(assertion.mask, index)).length;
  const right = truth.filter(
    (malicious, index) => hasBit(assertion.mask, index) && hasBit(assertion.verdicts, index) === malicious,
  ).length;
  return { right, wrong: spoken - right };
}
