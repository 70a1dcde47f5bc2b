/** From a notice to a bounty that can be worked on: what the event does not carry is asked for here. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Bounty } from "../../domain/bounty.ts";
import type { Clock, Instant } from "../../domain/chain.ts";
import { Fault } from "../../domain/fault.ts";
import { formatNct } from "../../domain/nct.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { BountyNotice, Marketplace } from "../../market/onchain/port/marketplace.ts";
import { inTimeToPost } from "../../market/onchain/settlement/record/duty.ts";
import type { Tell } from "../events/events.ts";
import { Abandon } from "./abandon.ts";
import { answersDue } from "./deadline.ts";

interface IntakeParts {
  readonly market: Marketplace;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: Tell;
  /** When a block of this chain will be reached, as far as we can tell. */
  readonly instantOf: (block: number) => Instant;
}

const ASK_AGAIN_MS = 500;
/** A listing that is not there costs the gateway a second each time. */
const MAX_PAUSE_MS = 8_000;
/** A gateway that does not know the bounty it has just announced may ask a node that is a block behind. */
const ATTEMPTS = 4;
/** Blocks by which an event may be ahead of the newest block heard of. */
const AHEAD = 10;

/** Asks a gateway in trouble again while the bounty can still be answered. */
export async function whileInTime<T>(
  market: Marketplace,
  expiration: number,
  ask: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const again = error instanceof Fault && error.retryable && inTimeToPost(expiration, market.head());
      if (!again) throw error;
    }
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}

/**
 * The bounty as the market holds it, written down. A reveal is due by the expiration and a wrong one loses the stake: it
 * must be what the event said, or nothing is staked. Throws Abandon when it is not, or the market knows no such bounty.
 */
export async function seeBounty(
  parts: IntakeParts,
  notice: BountyNotice,
  signal: AbortSignal,
): Promise<Bounty> {
  const { bounty, doubt } = await askUntilAgreed(parts.market, notice, signal);
  // Also in doubt, or the list of bounties would bring it up again.
  writeDown(parts, bounty);
  if (doubt !== undefined) throw new Abandon("market-failed", doubt);
  return bounty;
}

/** A bounty that we have one answer about and no event: another answer takes its place. Throws Abandon as `seeBounty`. */
export async function confirmBounty(
  { market }: Pick<IntakeParts, "market">,
  bounty: Bounty,
  signal: AbortSignal,
): Promise<Bounty> {
  const { doubt } = await askUntilAgreed(market, bounty, signal);
  if (doubt !== undefined) throw new Abandon("market-failed", doubt);
  return bounty;
}

async function askUntilAgreed(
  market: Marketplace,
  { guid, expiration }: Pick<Bounty, "guid" | "expiration">,
  signal: AbortSignal,
): Promise<{ readonly bounty: Bounty; readonly doubt: string | undefined }> {
  for (let attempt = 1; ; attempt++) {
    const bounty = await whileInTime(market, expiration, () => market.bounty(guid, signal), signal);
    const doubt = bounty === null ? undefined : doubtAbout(bounty, expiration, market);
    if (bounty !== null && (doubt === undefined || attempt === ATTEMPTS)) return { bounty, doubt };
    if (attempt === ATTEMPTS) throw new Abandon("not-found");
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}

function doubtAbout({ expiration }: Bounty, heard: number, market: Marketplace): string | undefined {
  if (expiration !== heard) {
    return `the marketplace first said that it expires in block ${heard}, and says block ${expiration} now`;
  }
  const { maxDuration } = market.parameters();
  if (expiration <= market.head() + maxDuration + AHEAD) return undefined;
  return `it is said to expire in block ${expiration}, and no bounty lasts longer than ${maxDuration} blocks`;
}

/** The same bounty, now in the ledger. */
export function writeDown({ ledger, tell }: Pick<IntakeParts, "ledger" | "tell">, bounty: Bounty): Bounty {
  ledger.see(bounty);
  const { guid, kind, artifactCount: artifacts, expiration } = bounty;
  tell("bounty.seen", { guid, kind, artifacts, reward: formatNct(bounty.amount), expiration });
  return bounty;
}

/**
 * How many artifacts a URI lists; undefined when the listing failed, for then fetching them will decide. `chunks`: it is one
 * large object and no directory.
 */
type Listed = number | undefined | "nowhere" | "chunks";

/**
 * The artifact service lists one object of more than 256 KiB as its chunks, without names, and the bounty counts each as an
 * artifact. The verdict on a piece of a file says nothing of the file, and the arbiters may vote on the whole. A directory
 * names its entries.
 */
const isChunkList = (links: readonly { readonly name: string }[]): boolean =>
  links.length > 1 && links.every(({ name }) => name === "");

export async function listArtifacts(market: Marketplace, uri: string, signal: AbortSignal): Promise<Listed> {
  try {
    const links = await market.listArtifacts(uri, signal);
    return isChunkList(links) ? "chunks" : links.length;
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
  { market, clock, instantOf }: Pick<IntakeParts, "market" | "clock" | "instantOf">,
  { uri, expiration }: Bounty,
  signal: AbortSignal,
): Promise<Exclude<Listed, "nowhere">> {
  const due = answersDue(expiration, clock.now(), instantOf);
  for (let pauseMs = ASK_AGAIN_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    // A clock that was set back meanwhile does not make the bounty last longer: the blocks have the last word.
    const late = clock.now() + ASK_AGAIN_MS >= due || !inTimeToPost(expiration, market.head());
    if (late) throw new Abandon("no-artifacts", `${uri} leads nowhere`);
    await sleep(Math.min(pauseMs, Math.max(ASK_AGAIN_MS, due - clock.now())), undefined, { signal });
    const listed = await listArtifacts(market, uri, signal);
    if (listed !== "nowhere") return listed;
  }
}
