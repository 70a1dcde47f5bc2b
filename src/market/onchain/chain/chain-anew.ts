/**
 * Whether the chain is still the one that the ledger tells of. A sandbox that was started again has the same chain id, the same
 * contracts at the same addresses and a first block: everything promised on the chain before is gone, and would be looked for
 * at every block.
 *
 * No answer names a chain, but our account does: what was mined stays mined, so a chain that counts fewer transactions of
 * ours than the ledger saw mined, and knows none of the bounties that are open, is another one. Both are asked twice, some
 * seconds apart, because a node can be behind the others. Should it have been a node that lost its blocks and gets them back,
 * what was written off is taken back (chain-back.ts), and what the ledger does not know is looked for at the next start
 * (market/onchain/recovery/lost-stake-search.ts).
 */

import { setTimeout as sleep } from "node:timers/promises";
import { PROMISED_STATES } from "../../../domain/lifecycle.ts";
import { formatNct } from "../../../domain/nct.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import { expirationOf } from "../port/details.ts";
import type { TellOnchain } from "../port/events.ts";
import type { Marketplace } from "../port/marketplace.ts";
import { lastBefore, MARKET_NOTES } from "./market-notes.ts";

interface ChainAnewParts {
  readonly market: Marketplace;
  readonly ledger: Ledger;
  readonly tell: TellOnchain;
  /** Between the first look and the second. */
  readonly pause?: (signal: AbortSignal) => Promise<unknown>;
}

/** Open bounties that are asked for; the newest tell most. */
const MOST_ASKED = 10;
const PAUSE_MS = 3_000;
const HINT =
  "If the chain was not begun anew, the gateway's node has lost its blocks; what was written off is looked for when it has them again.";

export interface LookDeadlines {
  /** Aborts when the first look has taken long enough. */
  readonly first: AbortSignal;
  /** The second look has time of its own, because the first and all before it may have used up theirs. */
  readonly second: AbortSignal;
}

/**
 * Writes off what is open when the chain begun anew; says so in one line. Without an answer in time nothing is written off.
 * Rejects only with a signal's reason.
 */
export async function writeOffIfAnew(parts: ChainAnewParts, { first, second }: LookDeadlines): Promise<void> {
  const { market, ledger, tell } = parts;
  const { id: chain } = market;
  const pause = parts.pause ?? ((until) => sleep(PAUSE_MS, undefined, { signal: until }));
  const mined = ledger.takenSequence(chain, lastBefore(ledger, chain));
  if (mined === undefined || !(await isAnew(mined, parts, first))) return;
  await pause(second);
  if (!(await isAnew(mined, parts, second))) return;
  const bounties = ledger.inStates(chain, PROMISED_STATES).length;
  const atRisk = formatNct(ledger.atRisk(chain));
  ledger.together(() => {
    const written = ledger.writeOff(chain, "chain-anew");
    for (const note of [MARKET_NOTES.deprecated, MARKET_NOTES.examined, MARKET_NOTES.lostStakes])
      ledger.setNote(chain, note, undefined);
    ledger.setNote(chain, MARKET_NOTES.anew, mined.toString());
    ledger.setNote(chain, MARKET_NOTES.before, `${ledger.newestPosition()}`);
    tell("market.begun-anew", { market: chain, bounties, written, atRisk, hint: HINT });
  });
}

/** Whatever cannot be asked speaks against it. */
async function isAnew(
  mined: bigint,
  { market, ledger }: ChainAnewParts,
  signal: AbortSignal,
): Promise<boolean> {
  const { id: chain } = market;
  try {
    signal.throwIfAborted();
    const count = await Promise.race([market.transactionCount(), rejected(signal)]);
    if (count > mined) return false;
    const open = ledger
      .inStates(chain, PROMISED_STATES)
      .toSorted((a, b) => expirationOf(b.bounty) - expirationOf(a.bounty))
      .slice(0, MOST_ASKED);
    if (open.length === 0) return false;
    const found = await Promise.all(open.map(({ bounty }) => market.bounty(bounty.guid, signal)));
    return found.every((bounty) => bounty === null);
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** Rejects with the signal's reason. */
const rejected = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
