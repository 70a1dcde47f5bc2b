/** From a notice to a bounty that can be worked on: what the news does not carry is asked for here. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Bounty } from "../../domain/bounty.ts";
import { Fault } from "../../domain/fault.ts";
import type { Clock } from "../../domain/instant.ts";
import { formatNct } from "../../domain/nct.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { BountyNotice, Market } from "../../market/port.ts";
import type { Tell } from "../events/events.ts";
import { Abandon } from "./abandon.ts";
import { answersDue } from "./deadline.ts";

interface IntakeParts {
  readonly market: Market;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: Tell;
}

const ASK_AGAIN_MS = 500;
/** A listing that is not there costs the gateway a second each time. */
const MAX_PAUSE_MS = 8_000;

/**
 * The bounty as the market holds it, written down. Throws Abandon when it is not what we heard, or the market knows no such
 * bounty.
 */
export async function seeBounty(
  parts: IntakeParts,
  notice: BountyNotice,
  signal: AbortSignal,
): Promise<Bounty> {
  const { bounty, doubt } = await parts.market.confirm(notice, signal);
  if (bounty === null) throw new Abandon("not-found");
  // Also in doubt, or the list of bounties would bring it up again.
  writeDown(parts, bounty);
  if (doubt !== undefined) throw new Abandon("market-failed", doubt);
  return bounty;
}

/** A bounty that is written down already: another answer takes the place of its event. Throws Abandon as `seeBounty`. */
export async function confirmKnown(
  { market }: Pick<IntakeParts, "market">,
  known: Bounty,
  signal: AbortSignal,
): Promise<Bounty> {
  const { bounty, doubt } = await market.confirm(known, signal);
  if (bounty === null) throw new Abandon("not-found");
  if (doubt !== undefined) throw new Abandon("market-failed", doubt);
  return known;
}

/** The same bounty, now in the ledger. */
export function writeDown({ ledger, tell }: Pick<IntakeParts, "ledger" | "tell">, bounty: Bounty): Bounty {
  ledger.see(bounty);
  const { guid, kind, artifactCount: artifacts, details } = bounty;
  tell("bounty.seen", { guid, kind, artifacts, reward: formatNct(bounty.amount), details });
  return bounty;
}

/**
 * How many artifacts a URI lists; undefined when the listing failed, for then fetching them will decide. `chunks`: it is one
 * large object and no directory.
 */
type Listed = number | undefined | "nowhere" | "chunks";

export async function listArtifacts(
  market: Market,
  bounty: Pick<Bounty, "uri">,
  signal: AbortSignal,
): Promise<Listed> {
  try {
    const listed = await market.listArtifacts(bounty, signal);
    return listed.some(({ isPiece }) => isPiece === true) ? "chunks" : listed.length;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Fault && error.code === "MARKET_NOT_FOUND" ? "nowhere" : undefined;
  }
}

/**
 * A URI that leads nowhere may do so later: IPFS can be slow. It is waited for here, where that costs nothing. A
 * consumer would hold a slot for each of its artifacts until the deadline, and a few such bounties would hold them all.
 * Throws Abandon when it leads nowhere until the answers are due.
 */
export async function untilListed(
  { market, clock }: Pick<IntakeParts, "market" | "clock">,
  bounty: Bounty,
  signal: AbortSignal,
): Promise<Exclude<Listed, "nowhere">> {
  const due = answersDue(market.answerTimes(bounty), clock.now());
  for (let pauseMs = ASK_AGAIN_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    // A clock that was set back meanwhile does not make the bounty last longer: the market has the last word.
    const late = clock.now() + ASK_AGAIN_MS >= due || !market.isOpen(bounty);
    if (late) throw new Abandon("no-artifacts", `${bounty.uri} leads nowhere`);
    await sleep(Math.min(pauseMs, Math.max(ASK_AGAIN_MS, due - clock.now())), undefined, { signal });
    const listed = await listArtifacts(market, bounty, signal);
    if (listed !== "nowhere") return listed;
  }
}
