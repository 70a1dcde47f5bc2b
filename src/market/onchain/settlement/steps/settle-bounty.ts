import { hasBit } from "../../../../domain/bits.ts";
import { formatNct, type Nct } from "../../../../domain/nct.ts";
import type { StepResult } from "../../../settlement.ts";
import { entryOf, transactionOf } from "../../port/journal.ts";
import type { Outcome } from "../../port/marketplace.ts";
import type { DutyContext } from "../record/duty-context.ts";
import type { SettlementSeen } from "../record/settlement-memory.ts";
import { believeSettlement } from "./believe.ts";
import { consensusOf } from "./consensus.ts";
import { type MarketRecord, readMarketRecord } from "./market-record.ts";
import { giveUp, whyNeverPosted } from "./signed-fate.ts";

type Settlement = Outcome<{ readonly payout: Nct }>;

/**
 * Failures, some 30 blocks with the pauses between them, after which another settlement is signed though the first may
 * still be mined. It may be held up by a nonce before its own, which the next signature fills, or its bytes may not be
 * known any more; should both be mined, one of them reverts.
 */
const LOST_AFTER = 5;

/** A settlement is looked at again when its block lies this deep: reorganisations are seldom deeper. */
const LOOK_AGAIN_AFTER_BLOCKS = 3;

/** A node that is a block behind the announcement does not know of it yet. */
const QUORUM_ASKS = 3;

/**
 * Whether the arbiters agreed: it was announced, which proves nothing, or the stream was away. A settlement before that reverts;
 * not knowing costs time only, because without a quorum the end of the vote window settles it.
 */
export async function askQuorum(context: DutyContext): Promise<StepResult> {
  const { market, ledger, key, recalled, failures, signal } = context;
  const reached = await market.quorumReached(key.guid, signal);
  if (reached) ledger.recordQuorum(key);
  else if (recalled.quorumAnnounced && failures + 1 < QUORUM_ASKS)
    return "a quorum was announced that the marketplace does not show";
  recalled.quorumUnheard = false;
  recalled.quorumAnnounced = false;
  return undefined;
}

export async function settleBounty(context: DutyContext): Promise<StepResult> {
  const { market, ledger, key, record, recalled } = context;
  if (record.revealMissed && record.state !== "settling") {
    const never = await whyNeverPosted(context);
    if (never !== undefined) return giveUp(context, "post-failed", never);
  }
  const outcome = await market.settle(key.guid, (signed) =>
    ledger.journal(key, "settle", signed.map(entryOf)),
  );
  if (outcome.kind === "done") return firstLook(context, seenNow(context, outcome.value.payout, "receipt"));
  if (wasSettled(outcome)) {
    recalled.settlement.refused = true;
    return firstLook(context, await lookOnMarket(context));
  }
  const never = isUnknownThere(outcome) ? await whyNeverPosted(context) : undefined;
  return never === undefined ? outcome.reason : giveUp(context, "post-failed", never);
}

/**
 * A settlement was sent, fate unknown:
 *
 *     handing over again ──can never be mined────────────────────────────► signed anew
 *       ▲   └──asking for receipts ──reverted────────────────────────────► signed anew
 *       │              ├──not known, in vain for long────────────────────► signed anew
 *       │              ├──not known──► handing over again, after a pause
 *       │              └──mined, or the market announced it──► seen
 *       │                                                       │ three blocks later
 *       ├──not there any more, or our nonce is not used── looking again ──believed──► settled
 *       │                                                       ├──contradictions──► another one is sent, once
 *       │                                                       └──none of ours was ever posted──► abandoned
 *       └── (the contract refuses the other one, or it was the first that came) ◄──┘
 *
 * Handed over first, because asking for the receipt of what never arrived takes long. Nothing is written down on one
 * answer: what is seen once is only remembered, and a restart begins to look anew. What both looks agree on is held
 * against the contract's own record of assertions and votes (see believe.ts). A payout that cannot be
 * confirmed is written down as unknown, and counts for nothing.
 */
export async function confirmSettling(context: DutyContext): Promise<StepResult> {
  const { market, ledger, key, failures, recalled, signal } = context;
  const { seen } = recalled.settlement;
  if (seen !== undefined)
    return market.head() < seen.block + LOOK_AGAIN_AFTER_BLOCKS ? undefined : lookAgain(context, seen);
  const signed = ledger.lastEntries(key, "settle").map(transactionOf);
  const resent = signed.length === 0 ? undefined : await market.resend(signed, signal, "settle");
  if (resent?.kind === "void") return settleBounty(context);
  const found = await lookOnMarket(context);
  if (found.kind === "seen") return firstLook(context, found);
  if (found.kind === "failed") return settleBounty(context);
  return failures >= LOST_AFTER ? settleBounty(context) : found.reason;
}

/** What the market says of all that we signed to settle. */
type Found =
  | { readonly kind: "seen"; readonly seen: SettlementSeen }
  | { readonly kind: "failed" | "unknown"; readonly reason: string };

const seenNow = (
  { market }: DutyContext,
  payout: Nct | null,
  source: SettlementSeen["source"],
): Extract<Found, { kind: "seen" }> => ({
  kind: "seen",
  seen: { block: market.head(), payout, source },
});

async function lookOnMarket(context: DutyContext): Promise<Found> {
  const { market, ledger, key, recalled, signal } = context;
  const fate = await market.lookUp(ledger.references(key, "settle"), signal);
  if (fate.kind === "done") return seenNow(context, fate.value.payout, "receipt");
  if (wasSettled(fate)) recalled.settlement.refused = true;
  // A proxy that drops the bodies of GET requests leaves nothing else to go by.
  const announced = recalled.announced ?? null;
  if (recalled.settlement.refused || (fate.kind === "unknown" && announced !== null))
    return seenNow(context, announced, announced === null ? "receipt" : "announcement");
  return fate;
}

/** The contract settles once for each account: a refusal for that reason is a settlement whose answer we missed. */
const wasSettled = (outcome: Settlement): boolean =>
  outcome.kind === "failed" && outcome.refusal === "already-settled";

/** The block that had the bounty may be none of the chain any more. */
const isUnknownThere = (outcome: Settlement): boolean =>
  outcome.kind === "failed" && outcome.refusal === "unknown-bounty";

function firstLook(context: DutyContext, found: Found): StepResult {
  if (found.kind !== "seen") return found.reason;
  context.recalled.settlement.seen = found.seen;
  return undefined;
}

async function lookAgain(context: DutyContext, seen: SettlementSeen): Promise<StepResult> {
  const { market, ledger, key, recalled, failures } = context;
  const found = await lookOnMarket(context);
  if (found.kind !== "seen" || found.seen.payout !== seen.payout) {
    recalled.settlement.seen = undefined;
    context.tell("assertion.vanished", { guid: key.guid, what: "settlement" });
    return found.kind === "seen" ? "two answers differ on what the settlement paid" : found.reason;
  }
  const record = await readMarketRecord(context).catch((error: unknown) => {
    if (failures < LOST_AFTER) throw error;
    return undefined;
  });
  const never = record?.listed === false && !found.seen.payout ? await whyNeverPosted(context) : undefined;
  if (never !== undefined) return giveUp(context, "post-failed", never);
  const nonce = ledger.lastEntries(key, "settle").at(-1)?.sequence;
  const nonceUsed = nonce === undefined || (await market.minedCount()) > nonce;
  return conclude(context, { seen: found.seen, record, nonceUsed });
}

/** What the second look at a settlement found. */
interface SecondLook {
  readonly seen: SettlementSeen;
  /** Undefined when the marketplace does not show it. */
  readonly record: MarketRecord | undefined;
  /** The account nonce of what was signed last is used, by the node's count of mined transactions. */
  readonly nonceUsed: boolean;
}

async function conclude(
  context: DutyContext,
  { seen: { payout, source }, record, nonceUsed }: SecondLook,
): Promise<StepResult> {
  const { tell, key, recalled, assertion } = context;
  const { refused, contractAsked } = recalled.settlement;
  const owed = record?.owed;
  const most = record?.most ?? leastOf(context.record.bounty.amount, assertion.stake, assertion.fee);
  const belief = believeSettlement({ payout, source, nonceUsed, owed, most, refused, contractAsked });
  switch (belief.kind) {
    case "settled":
      return settled(context, belief.payout, record);
    case "not-yet":
      recalled.settlement.seen = undefined;
      recalled.announced = undefined;
      return belief.why;
    case "ask-contract":
      recalled.settlement.seen = undefined;
      recalled.settlement.contractAsked = true;
      return settleBounty(context);
    case "unverified":
      tell("settlement.unverified", {
        guid: key.guid,
        claimed: payout === null ? "unknown" : formatNct(payout),
        owed: owed === undefined ? "unknown" : formatNct(owed),
        why: belief.why,
      });
      return settled(context, null, record);
  }
}

/** What the contract could pay at least, where the other assertions cannot be read. */
const leastOf = (amount: Nct, stake: Nct, fee: Nct): Nct => (amount + stake + fee) as Nct;

/** What the arbiters decided goes into the ledger, too, to learn from. Not knowing it delays nothing. */
function settled(context: DutyContext, payout: Nct | null, record: MarketRecord | undefined): undefined {
  const { ledger, tell, key, assertion } = context;
  const { truth, right, wrong } = againstVotes(context, record);
  ledger.recordSettled(key, payout, truth);
  tell("assertion.settled", {
    guid: key.guid,
    payout: payout === null ? "unknown" : formatNct(payout),
    profit: payout === null ? "unknown" : formatNct(payout - assertion.stake - assertion.fee),
    right,
    wrong,
  });
}

/** What the arbiters decided, and how many of our verdicts were right and wrong by that. */
function againstVotes({ record: { bounty }, assertion }: DutyContext, record: MarketRecord | undefined) {
  const truth = consensusOf(record?.votes ?? [], bounty.artifactCount) ?? [];
  const spoken = truth.filter((_, index) => hasBit(assertion.mask, index)).length;
  const right = truth.filter(
    (malicious, index) => hasBit(assertion.mask, index) && hasBit(assertion.verdicts, index) === malicious,
  ).length;
  return { truth, right, wrong: spoken - right };
}
