import { formatNct } from "../domain/nct.ts";
import { inTimeToPost, inTimeToReveal } from "./duty.ts";
import { type DutyResult, type Errand, findOurs } from "./errand.ts";

/** Signs and sends what was planned. */
export async function postAssertion(errand: Errand): Promise<DutyResult> {
  const { market, ledger, purse, clock, tell, key, record, assertion, heardAt, signal } = errand;
  const { bids, mask, commitment, fee } = assertion;
  const outcome = await market.assert(
    { guid: key.guid, bids, mask, artifactCount: record.bounty.artifactCount, commitment, fee },
    (signed, current) => {
      if (current !== assertion.fee) {
        ledger.recordFee(key, current);
        purse.reserve(key.guid, assertion.stake + current);
      }
      ledger.recordSigned(key, "assert", signed);
    },
    {
      signal,
      onRequest: () => {
        if (heardAt !== undefined) ledger.recordRequested(key, clock.now() - heardAt);
      },
    },
  );
  if (outcome.kind === "done") {
    asserted(errand, outcome.value.index);
    return undefined;
  }
  if (outcome.kind === "failed" && !outcome.retryable && ledger.signed(key, "assert").length === 0) {
    giveUp(errand, "post-failed", outcome.reason);
    return undefined;
  }
  tell("assertion.unconfirmed", { guid: key.guid, reason: outcome.reason });
  return outcome.reason;
}

/** Signed, fate unknown: the market's own list decides, then what became of the transactions. */
export async function confirmPosting(errand: Errand): Promise<DutyResult> {
  const { market, ledger, key, record, signal } = errand;
  const ours = await findOurs(errand);
  if (ours !== undefined) {
    asserted(errand, ours.index);
    return undefined;
  }
  const fate = await market.lookUp(ledger.signed(key, "assert"), signal);
  if (fate.kind === "done") {
    if (fate.value.index === undefined) return "mined, but the marketplace does not list it yet";
    asserted(errand, fate.value.index);
    return undefined;
  }
  const { expiration } = record.bounty;
  if (fate.kind === "failed" && fate.retryable && inTimeToPost(expiration, market.head()))
    return postAssertion(errand);
  // A list can leave an entry out: as long as a reveal could save a stake that is there after all, it is looked for.
  const { revealWindow } = market.parameters();
  if (fate.kind === "unknown" && inTimeToReveal(expiration, revealWindow, market.head())) return fate.reason;
  giveUp(errand, "post-failed", fate.reason);
  return undefined;
}

/** Ends a bounty on which no stake was placed after all. */
export function giveUp(
  { ledger, purse, tell, key }: Errand,
  why: "too-late" | "post-failed",
  detail?: string,
): void {
  ledger.abandon(key, why);
  purse.release(key.guid);
  tell("bounty.abandoned", { guid: key.guid, why, ...(detail === undefined ? {} : { detail }) });
}

function asserted({ ledger, purse, tell, key, assertion }: Errand, index: number): void {
  ledger.recordAsserted(key, index);
  purse.spent(key.guid);
  const ms = ledger.assertion(key)?.requestedMs ?? null;
  tell("assertion.posted", { guid: key.guid, index, stake: formatNct(assertion.stake), ms });
}
