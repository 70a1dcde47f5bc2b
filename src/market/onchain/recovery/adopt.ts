import { hasBit } from "../../../domain/bits.ts";
import type { Bounty } from "../../../domain/bounty.ts";
import { Fault } from "../../../domain/fault.ts";
import type { Instant } from "../../../domain/instant.ts";
import { type BountyState, mayMove, UNPROMISED_STATES } from "../../../domain/lifecycle.ts";
import { type Nct, nct } from "../../../domain/nct.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { BountyRecord } from "../../../ledger/records.ts";
import { buildMetadata } from "../../metadata-document.ts";
import type { PostedAssertion } from "../port/marketplace.ts";

/** An assertion of ours on the market, with all that the market does not tell of it. */
interface Rebuilt {
  readonly bounty: Bounty;
  readonly posted: PostedAssertion;
  readonly nonce: bigint;
  readonly verdicts: bigint;
  /** What asserting costs today; what it cost then is not on record. */
  readonly fee: Nct;
  /** When it was made, as far as that can be told. */
  readonly plannedAt: Instant;
  /** Of microengine. */
  readonly version: string;
}

/**
 * Writes into the ledger what would stand there had it never been lost, all at once: a crash in between would leave a
 * plan that was never posted, and such a plan is given up when its time is over. What is there already stays, unless the
 * ledger calls the bounty abandoned, as a producer does that met it after the loss and could not assert a second time.
 * Throws Fault ANSWERED_ALREADY or LEDGER_STATE when the ledger says something else of this bounty.
 */
export function adopt(rebuilt: Rebuilt, ledger: Ledger): void {
  const { bounty, posted, verdicts } = rebuilt;
  ledger.together(() => {
    ledger.see(bounty);
    ledger.reopen(bounty);
    if (isUnpromised(ledger.find(bounty))) {
      const words = Array.from({ length: bounty.artifactCount }, (_, index) =>
        hasBit(posted.mask, index) ? "scan" : "forgotten",
      );
      ledger.recordTriage(bounty, words);
      ledger.recordOpinions(bounty, [], []);
    }
    ledger.planAssertion(bounty, {
      commitment: posted.commitment,
      nonce: rebuilt.nonce,
      mask: posted.mask,
      verdicts,
      bids: posted.bids,
      stake: nct(posted.bids.reduce((sum, bid) => sum + bid, 0n)),
      fee: rebuilt.fee,
      metadata: plainMetadata(rebuilt),
      plannedAt: rebuilt.plannedAt,
    });
    advance("asserted", () => ledger.recordAsserted(bounty, posted.index));
    if (posted.revealed) advance("revealed", () => ledger.recordRevealed(bounty));
  });

  function advance(to: BountyState, record: () => void): void {
    const from = ledger.find(bounty)?.state;
    if (from === to || isBeyond(from, to)) return;
    if (from === undefined || !mayMove(from, to))
      throw new Fault("LEDGER_STATE", `The ledger calls bounty ${bounty.guid} ${from}.`);
    record();
  }
}

const AFTER_POSTING: readonly BountyState[] = ["asserted", "revealing", "revealed", "settling", "settled"];

/** Whether a bounty is known to have come as far as `to`, or farther. */
const isBeyond = (state: BountyState | undefined, to: BountyState): boolean =>
  state !== undefined &&
  AFTER_POSTING.includes(state) &&
  AFTER_POSTING.indexOf(state) >= AFTER_POSTING.indexOf(to);

const isUnpromised = (record: BountyRecord | undefined): boolean =>
  record !== undefined && (UNPROMISED_STATES as readonly BountyState[]).includes(record.state);

/** Whether the ledger needs nothing from the market to go on with this bounty. */
export const isKnown = (record: BountyRecord | undefined): boolean => isBeyond(record?.state, "asserted");

/** Families and what the scanners added are lost; an entry for each artifact is still asked for. */
function plainMetadata({ bounty, posted, verdicts, version }: Rebuilt): ReturnType<typeof buildMetadata> {
  const spoken = Array.from({ length: bounty.artifactCount }, (_, index) => {
    if (!hasBit(posted.mask, index)) return null;
    const verdict = hasBit(verdicts, index) ? ("malicious" as const) : ("benign" as const);
    return { opinion: { verdict, family: "" }, answers: [] };
  });
  return buildMetadata(spoken, { microengine: version });
}
