/** What the gateway says of a bounty, held against what was heard of it before. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Bounty } from "../../../domain/bounty.ts";
import type { Confirmation } from "../../port.ts";
import { whileOpen } from "../../while-open.ts";
import { expirationOf } from "../port/details.ts";
import type { Marketplace } from "../port/marketplace.ts";
import { inTimeToPost } from "../port/windows.ts";

const ASK_AGAIN_MS = 500;
/** A gateway that does not know the bounty it has just announced may ask a node that is a block behind. */
const ATTEMPTS = 4;
/** Blocks by which an event may be ahead of the newest block heard of. */
const AHEAD = 10;

/**
 * The bounty as the market holds it, asked for until it is what we knew. A reveal is due by the expiration, and a wrong one loses
 * the stake: it must be the same in two answers, or nothing is staked.
 */
export async function confirmBounty(
  market: Pick<Marketplace, "bounty" | "head" | "parameters">,
  known: Pick<Bounty, "guid" | "details">,
  signal: AbortSignal,
): Promise<Confirmation> {
  const expiration = expirationOf(known);
  const isOpen = (): boolean => inTimeToPost(expiration, market.head());
  for (let attempt = 1; ; attempt++) {
    const bounty = await whileOpen(isOpen, () => market.bounty(known.guid, signal), signal);
    const doubt = bounty === null ? undefined : doubtAbout(bounty, expiration, market);
    const isDone = attempt === ATTEMPTS || (bounty !== null && doubt === undefined);
    if (isDone) return { bounty, doubt };
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}

function doubtAbout(
  bounty: Bounty,
  heard: number,
  market: Pick<Marketplace, "head" | "parameters">,
): string | undefined {
  const expiration = expirationOf(bounty);
  if (expiration !== heard) {
    return `the marketplace first said that it expires in block ${heard}, and says block ${expiration} now`;
  }
  const { maxDuration } = market.parameters();
  if (expiration <= market.head() + maxDuration + AHEAD) return undefined;
  return `it is said to expire in block ${expiration}, and no bounty lasts longer than ${maxDuration} blocks`;
}
