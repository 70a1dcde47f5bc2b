import { settledWithin } from "../../../async/within.ts";
import { describeError } from "../../../domain/fault.ts";
import type { Guid } from "../../../domain/guid.ts";
import type { Recovered } from "../../recovery.ts";
import { type RecoveryParts, recoverBounty } from "./recover-bounty.ts";
import { walk } from "./walk.ts";

interface SearchParts {
  readonly recovery: RecoveryParts;
  /** What expired longer ago than this is left alone; undefined looks at everything. */
  readonly blocks: number | undefined;
  /** Bounties that need no look. */
  readonly passes?: (guid: Guid) => boolean;
  readonly found: (guid: Guid, result: Recovered) => void;
}

const TELL_EVERY = 250;
/** Artifacts being scanned anew must not keep the walk from bounties whose reveal is due; it goes on without them. */
const PATIENCE_MS = 1_000;

/**
 * Looks through the marketplace's bounties for assertions of ours and writes them into the ledger. Resolves to whether
 * the list was read to its end; never rejects: what went wrong is told.
 */
export async function searchBounties(
  { recovery, blocks, passes = () => false, found }: SearchParts,
  signal: AbortSignal,
): Promise<boolean> {
  const { market, tell } = recovery;
  const { id: chain } = market;
  let [bounties, assertions] = [0, 0];
  const looked = () => tell("recover.looked", { market: chain, bounties, assertions });
  const look = async (guid: Guid): Promise<void> => {
    const result = await recoverBounty(recovery, guid, signal);
    found(guid, result);
    bounties++;
    if (["known", "rebuilt", "not-rebuilt"].includes(result)) assertions++;
    if (bounties % TELL_EVERY === 0) looked();
  };
  const looking = new Set<Promise<void>>();
  const visit = async (guid: Guid): Promise<void> => {
    if (passes(guid)) return;
    const work = look(guid).finally(() => looking.delete(work));
    looking.add(work);
    await settledWithin(PATIENCE_MS, work);
    signal.throwIfAborted();
  };
  let whole = true;
  try {
    await walk({ market, blocks, visit }, signal);
    await Promise.all(looking);
  } catch (error) {
    await Promise.allSettled(looking);
    whole = false;
    tell("recover.cut-short", { market: chain, reason: describeError(error) });
  }
  if (bounties === 0 || bounties % TELL_EVERY > 0) looked();
  return whole;
}
