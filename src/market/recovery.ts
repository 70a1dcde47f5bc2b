/** What is needed to find answers of ours that the ledger does not know, and what is told of it. */
import type { Bounty } from "../domain/bounty.ts";
import type { Guid } from "../domain/guid.ts";
import type { Instant } from "../domain/instant.ts";
import type { Moment } from "./moment.ts";

/** What scanning artifacts anew says. */
export interface VerdictGuess {
  readonly verdicts: bigint;
  /** Every masked artifact, the one whose verdict is least certain first. */
  readonly doubtful: readonly number[];
}

/** What scanning the masked artifacts anew says, by `before` at the latest; undefined when no consumer answers. */
export type RescanArtifacts = (
  bounty: Bounty,
  mask: bigint,
  before: Instant | undefined,
  signal: AbortSignal,
) => Promise<VerdictGuess | undefined>;

/**
 * - `not-ours`     we asserted nothing on this bounty.
 * - `known`        the ledger has our assertion already.
 * - `rebuilt`      it has it now.
 * - `not-rebuilt`  it is on the market, but what it says cannot be found out, or the ledger says otherwise.
 * - `unread`       the marketplace would not say.
 */
export type Recovered = "not-ours" | "known" | "rebuilt" | "not-rebuilt" | "unread";

interface LostAnswersAsk {
  readonly rescan: RescanArtifacts;
  /** Verdicts to try at most where there are too many to try them all. */
  readonly tries: number;
  /** What closed longer ago than this is left alone; undefined looks at everything. */
  readonly within: Moment | undefined;
  readonly found: (guid: Guid, result: Recovered) => void;
}

export interface LostAnswers {
  /**
   * Looks through the marketplace's bounties for answers of ours and writes them into the ledger. Resolves to whether all were
   * looked at. Never rejects: what went wrong is told.
   */
  search(ask: LostAnswersAsk, signal: AbortSignal): Promise<boolean>;
}
