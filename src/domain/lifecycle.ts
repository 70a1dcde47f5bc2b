/**
 * The life of a bounty in our hands. Every arrow is a row written in the ledger before the world is told.
 *
 *     seen ─► triaged ─► dispatched ─► distilled ─► planned ─► posting ─► asserted ─► revealing ─► revealed
 *                                                                            │            │            │
 *                                                                            └─(too late)─┴──► settling ◄┘──► settled
 *
 *     posting ◄─(gone)─ asserted      revealing ◄─(gone)─ revealed      posting ─(unconfirmed)─► revealing
 *
 * - `seen`       we know of it; nothing was decided.
 * - `triaged`    which artifacts go to which backends is decided.
 * - `dispatched` the scan jobs are on the queue.
 * - `distilled`  the answers, or the deadline, came; each artifact has an opinion.
 * - `planned`    commitment, nonce, verdicts, stakes and metadata are durable; nothing was sent.
 * - `posting`    the transactions were signed and may be on their way; their bytes are durable. A reveal that is due does not
 *                wait for their confirmation: it is sent for the place that the event stream names, or tried.
 * - `asserted`   our assertion is on the market and its index known; the stake is at risk.
 * - `revealing`  the reveal was signed and may be on its way.
 * - `revealed`   the market knows our verdicts.
 * - `settling`   the settlement was signed and may be on its way. A reveal that came too late is settled all the same:
 *                where no arbiter voted the stake comes back. And should it turn out that there is still time, because the
 *                window or what we took for the newest block was another, it is revealed after all.
 * - `settled`    paid out; the end.
 * - `abandoned`  the end without a stake, for a reason: reachable from every state before `asserted`, and from there when
 *                the receipt turns out to have been made up, or its block was taken back for good: nothing of ours is on
 *                the market, and nothing was staked.
 *                `recover` begins it again when the market turns out to hold an assertion of ours on it. Where that was
 *                seen and could not be rebuilt the reason is `asserted-before`, and the bounty is not answered again.
 *
 *                When the chain begins anew, as a sandbox's does, all that is open on it ends so at once, whatever its
 *                state, for the reason `chain-anew`.
 *
 * A crash leaves a bounty in one of these; the next start goes on from there (producer/duties/duties.ts, producer/answering/bounties-in-work.ts).
 *
 * The arrows back ("gone") are for a chain that was reorganised: what a block held that is no block of the chain any more
 * did not happen. The same signed bytes are handed over again, which needs no arrow; only when they can never be mined
 * any more is the same commitment, or the same reveal, signed anew.
 *
 * The ledger may lag behind on a full disk, never run ahead: what could not be written is remembered while the process
 * lives (producer/duties/write-behind-ledger.ts), and after a crash the market is asked, which knows what was revealed and settled.
 */
export const BOUNTY_STATES = [
  "seen",
  "triaged",
  "dispatched",
  "distilled",
  "planned",
  "posting",
  "asserted",
  "revealing",
  "revealed",
  "settling",
  "settled",
  "abandoned",
] as const;
export type BountyState = (typeof BOUNTY_STATES)[number];

const NEXT: Readonly<Record<BountyState, readonly BountyState[]>> = {
  seen: ["triaged", "abandoned"],
  triaged: ["dispatched", "abandoned"],
  dispatched: ["distilled", "abandoned"],
  distilled: ["planned", "abandoned"],
  planned: ["posting", "asserted", "abandoned"],
  posting: ["asserted", "revealing", "abandoned"],
  asserted: ["revealing", "revealed", "settling", "settled", "posting", "abandoned"],
  revealing: ["revealed", "settling", "settled", "abandoned"],
  revealed: ["settling", "settled", "revealing", "abandoned"],
  settling: ["settled", "revealing", "revealed", "abandoned"],
  settled: [],
  abandoned: [],
};

/** Work on a bounty that had not reached `planned` begins anew after a restart; nothing was promised yet. */
export const UNPROMISED_STATES = [
  "seen",
  "triaged",
  "dispatched",
  "distilled",
] as const satisfies BountyState[];

/** Something is, or may be, owed to or by the market. */
export const PROMISED_STATES = [
  "planned",
  "posting",
  "asserted",
  "revealing",
  "revealed",
  "settling",
] as const satisfies BountyState[];

/** Our stake is in escrow, as far as we know. */
export const STAKED_STATES = [
  "posting",
  "asserted",
  "revealing",
  "revealed",
  "settling",
] as const satisfies BountyState[];

const mayFollow = (from: BountyState, to: BountyState): boolean => NEXT[from].includes(to);

/** Staying where one is is always fine: a repeated step after a restart must not fail. */
export const mayMove = (from: BountyState, to: BountyState): boolean =>
  from === to || mayFollow(from, to) || (isUnpromised(from) && isUnpromised(to));

const isUnpromised = (state: BountyState): boolean =>
  (UNPROMISED_STATES as readonly BountyState[]).includes(state);

/** Why a bounty was given up before a stake was placed. */
export const ABANDON_REASONS = [
  "wrong-kind",
  "no-artifacts",
  "not-found",
  "nothing-to-scan",
  "no-opinion",
  "abstained",
  "too-late",
  "thin-purse",
  "over-limit",
  "stop-loss",
  "post-failed",
  "market-failed",
  "deprecated",
  "asserted-before",
  "too-many",
  "chain-anew",
] as const;
export type AbandonReason = (typeof ABANDON_REASONS)[number];
