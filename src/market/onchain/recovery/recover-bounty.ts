import { setImmediate as nextTurn } from "node:timers/promises";
import { countBits } from "../../../domain/bits.ts";
import type { Bounty } from "../../../domain/bounty.ts";
import { describeError, Fault } from "../../../domain/fault.ts";
import type { Guid } from "../../../domain/guid.ts";
import { type Clock, type Instant, instant } from "../../../domain/instant.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { Recovered, RescanArtifacts } from "../../recovery.ts";
import type { TellRecover } from "../../recovery-events.ts";
import { block } from "../port/block.ts";
import { expirationOf } from "../port/details.ts";
import type { Marketplace, PostedAssertion } from "../port/marketplace.ts";
import { commitment } from "../settlement/record/commitment.ts";
import { adopt, isKnown } from "./adopt.ts";
import { askAgain } from "./ask-again.ts";
import {
  EXHAUSTIVE_ARTIFACTS,
  type SealedVerdicts,
  type SearchEnd,
  type SearchPlan,
  searchVerdicts,
} from "./verdict-search/verdict-search.ts";

export interface RecoveryParts {
  readonly market: Marketplace;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: TellRecover;
  /** The nonce of our commitment on a bounty. */
  readonly nonceFor: (guid: Guid) => bigint;
  /** When a block was or will be made, as far as we can tell. */
  readonly instantOf: (block: number) => Instant;
  readonly rescan: RescanArtifacts;
  /** Candidates to try at most where there are too many to try them all. */
  readonly tries: number;
  /** Of microengine. */
  readonly version: string;
  /** Told of a bounty that carries an assertion of ours which could not be rebuilt. */
  readonly leave?: (bounty: Bounty) => void;
}

/** Half a second of searching that is worth a try before artifacts are scanned anew. */
const QUICK_TRIES = 2 ** 20;

/** Looks whether one bounty carries an assertion of ours, and writes it into the ledger if it does. */
export async function recoverBounty(
  parts: RecoveryParts,
  guid: Guid,
  signal: AbortSignal,
): Promise<Recovered> {
  const { market, ledger, tell } = parts;
  if (isKnown(ledger.find({ market: market.id, guid }))) return "known";
  try {
    const [posted] = await askAgain(() => market.ownAssertions(guid, { signal }), signal);
    if (posted === undefined) return "not-ours";
    const bounty = await askAgain(() => market.bounty(guid, signal), signal);
    if (bounty === null)
      throw new Fault("BOUNTY_NOT_SHOWN", "The marketplace lists our assertion, but not its bounty.", {
        retryable: true,
      });
    return await rebuild(parts, bounty, posted, signal);
  } catch (error) {
    signal.throwIfAborted();
    tell("recover.unread", { guid, reason: describeError(error) });
    return "unread";
  }
}

async function rebuild(
  parts: RecoveryParts,
  bounty: Bounty,
  posted: PostedAssertion,
  signal: AbortSignal,
): Promise<Recovered> {
  const { market, ledger, clock, tell, instantOf, version } = parts;
  const { guid } = bounty;
  const nonce = parts.nonceFor(guid);
  const artifacts = countBits(posted.mask);
  const end = await findVerdicts(parts, bounty, { ...posted, nonce }, signal);
  if (end.kind === "not-found") {
    const why = end.exhausted ? "another-program" : "too-many";
    tell("recover.not-rebuilt", { guid, why, detail: `${artifacts} artifacts, ${end.tries} verdicts tried` });
    parts.leave?.(bounty);
    return "not-rebuilt";
  }
  try {
    adopt(
      {
        bounty,
        posted,
        nonce,
        verdicts: end.verdicts,
        version,
        fee: market.parameters().assertionFee,
        plannedAt: instant(Math.min(clock.now(), instantOf(expirationOf(bounty)))),
      },
      ledger,
    );
  } catch (error) {
    if (!(error instanceof Fault) || !["ANSWERED_ALREADY", "LEDGER_STATE"].includes(error.code)) throw error;
    tell("recover.not-rebuilt", { guid, why: "ledger-differs", detail: error.message });
    return "not-rebuilt";
  }
  tell("recover.rebuilt", { guid, artifacts, revealed: posted.revealed, tries: end.tries });
  await catchUpOnQuorum(parts, bounty, signal);
  return "rebuilt";
}

/** Where arbiters may have agreed by now, whether they did: the event that said so is long over. */
async function catchUpOnQuorum(
  { market, ledger }: RecoveryParts,
  bounty: Bounty,
  signal: AbortSignal,
): Promise<void> {
  const { revealWindow, voteWindow } = market.parameters();
  const votingFrom = expirationOf(bounty) + revealWindow;
  const voting = market.head() >= votingFrom && market.head() < votingFrom + voteWindow;
  if (voting && (await askAgain(() => market.quorumReached(bounty.guid, signal), signal)))
    ledger.recordQuorum(bounty);
}

/** From what was revealed, by trying, or by scanning anew and trying what is likely: the cheapest that does it. */
async function findVerdicts(
  parts: RecoveryParts,
  bounty: Bounty,
  posted: PostedAssertion & { readonly nonce: bigint },
  signal: AbortSignal,
): Promise<SearchEnd> {
  const { market, tell, rescan, tries } = parts;
  const { verdicts, nonce, mask } = posted;
  const sealed: SealedVerdicts = { account: market.account, commitment: posted.commitment, nonce, mask };
  if (verdicts !== undefined && commitment(market.account, verdicts, nonce) === posted.commitment)
    return { kind: "found", verdicts, tries: 1 };
  // What was revealed opens the commitment: when it does not do so with our nonce, no verdicts will.
  if (verdicts !== undefined) return { kind: "not-found", exhausted: true, tries: 1 };
  const quick = await search(sealed, { tries: Math.min(QUICK_TRIES, tries) }, signal);
  const artifacts = countBits(mask);
  if (quick.kind === "found" || artifacts <= EXHAUSTIVE_ARTIFACTS) return quick;
  tell("recover.rescanning", { guid: bounty.guid, artifacts });
  const guess = await rescan(bounty, mask, guessBefore(parts, bounty), signal);
  return search(sealed, { guess, tries }, signal);
}

/** Half of what is left of the reveal window: the rest is for trying and for the reveal. No limit once it is over. */
function guessBefore({ market, clock, instantOf }: RecoveryParts, bounty: Bounty): Instant | undefined {
  const revealEnd = block(expirationOf(bounty) + market.parameters().revealWindow);
  if (market.head() >= revealEnd) return undefined;
  const now = clock.now();
  return instant(now + Math.floor(Math.max(0, instantOf(revealEnd) - now) / 2));
}

/** Millions of hashes take seconds, in which the event stream and what is due must go on. */
async function search(sealed: SealedVerdicts, plan: SearchPlan, signal: AbortSignal): Promise<SearchEnd> {
  const searching = searchVerdicts(sealed, plan);
  for (;;) {
    const step = searching.next();
    if (step.done) return step.value;
    await nextTurn(undefined, { signal });
  }
}
