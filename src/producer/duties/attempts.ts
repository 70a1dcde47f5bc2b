/**
 * When a duty of a bounty is tried, and what a try that failed changes about that. The bounty is changed in place; no
 * clock is read and nothing is told.
 */
import type { BountyState } from "../../domain/lifecycle.ts";
import { type Duty, type DutyFacts, nextDuty, type Track, trackOf } from "../../market/onchain/settlement/record/duty.ts";
import type { PromisedBounty } from "./promised-bounty.ts";

type MarketFacts = Pick<DutyFacts, "head" | "parameters">;

/**
 * Duties that wait longer each time they fail, and how many blocks at most; the others have a window to meet and are
 * tried at every block.
 */
const LONGEST_PAUSE: Readonly<Partial<Record<Duty, number>>> = {
  publish: 32,
  "ask-quorum": 32,
  settle: 32,
  "confirm-settle": 32,
  "confirm-post": 4,
  "verify-post": 1,
  "verify-reveal": 1,
};
const VERIFYING: readonly Duty[] = ["verify-post", "verify-reveal"];

/** Whether a duty only looks again at what was done. */
export const isVerifying = (duty: Duty): boolean => VERIFYING.includes(duty);

/** Undefined when there is nothing to do on this track at this block. */
export function dutyAt(promised: PromisedBounty, track: Track, facts: MarketFacts): Duty | undefined {
  const { record, published, notBefore } = promised;
  const { head, parameters } = facts;
  const { quorumUnheard } = promised.recalled;
  const mayVerify = VERIFYING.every((duty) => head >= (notBefore[duty] ?? 0));
  const unverifiedSince = mayVerify ? promised.unverifiedSince : undefined;
  const lastLook = mayVerify ? promised.lastLook : undefined;
  const known = { record, published, unverifiedSince, lastLook, quorumUnheard, head, parameters };
  const duty = nextDuty(track, known);
  return duty === "wait" || head < (notBefore[duty] ?? 0) ? undefined : duty;
}

/** Whether what a duty has to say came too late to matter: the other track went on meanwhile. */
export const isOutdated = (duty: Duty, state: BountyState): boolean =>
  duty === "confirm-post"
    ? state !== "posting"
    : trackOf(duty) === "assertion" && !["planned", "posting", "asserted"].includes(state);

/** Forgets the failures of a track, one of whose duties was done. The other track has failures of its own. */
export function noteSuccess(promised: PromisedBounty, track: Track): void {
  for (const duty of Object.keys(promised.failures) as Duty[])
    if (trackOf(duty) === track) delete promised.failures[duty];
  promised.lastReason = undefined;
}

interface Failure {
  /** How often in a row the duty has failed by now. */
  readonly attempt: number;
  /** Whether it is worth telling: what is refused is built again at every block, for as long as the bounty is open. */
  readonly isNews: boolean;
}

/** Notes that a duty failed for this reason, and the block before which it is not tried again. */
export function noteFailure(
  promised: PromisedBounty,
  duty: Duty,
  reason: string,
  { head, parameters }: MarketFacts,
): Failure {
  const attempt = (promised.failures[duty] ?? 0) + 1;
  promised.failures[duty] = attempt;
  const longest = LONGEST_PAUSE[duty];
  if (longest !== undefined) {
    const again = head + Math.min(2 ** (attempt - 1), longest);
    const revealEnd = promised.record.bounty.expiration + parameters.revealWindow;
    // A stake that was never placed is free again as soon as that is certain.
    promised.notBefore[duty] = duty === "confirm-post" ? Math.min(again, revealEnd - 1) : again;
  }
  const isNews = duty !== "post" || reason !== promised.lastReason;
  promised.lastReason = reason;
  return { attempt, isNews };
}
