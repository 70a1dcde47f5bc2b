import { Semaphore } from "../../../async/semaphore.ts";
import { LANES, type Lane } from "./lane.ts";

/**
 * How many requests are on their way at once. Each share has slots of its own, so that nothing in one waits for another:
 * a reveal never waits for anything less urgent, nothing that is signed waits for what is only read, and nothing at all
 * for receipts, which the gateway holds back. A list of assertions that a reveal would like to see (`look`) is as slow as
 * the metadata that strangers put into it, and the reveal goes without it, so it has no slots of what is signed either.
 * In a share the more urgent leave first, then those that came first.
 *
 * A request that nothing waits for any more gives its slot back, and goes on beside all shares (`leaveBehind`): it may be
 * slow, and what it carries may arrive. Of those there are `MAX_LEFT` at most; the oldest is called off for one more.
 */
export type SlotShare = "reveal" | "look" | "action" | "read" | "held";
const SLOTS: Readonly<Record<SlotShare, number>> = { reveal: 32, look: 12, action: 20, read: 16, held: 36 };
const SHARES = Object.keys(SLOTS) as SlotShare[];

/** Requests that go on although nothing waits for their answers any more. */
export const MAX_LEFT = 12;

/** In all. */
export const MAX_IN_FLIGHT = SHARES.reduce((sum, share) => sum + SLOTS[share], MAX_LEFT);

const SHARE_OF: Readonly<Record<Lane, SlotShare>> = {
  reveal: "reveal",
  assertion: "action",
  settle: "action",
  read: "read",
};

/** How an answer comes: held back by the gateway, as a list of assertions, or at once. */
export type Manner = "held" | "list" | "prompt";

export function shareOf(lane: Lane, manner: Manner): SlotShare {
  if (manner === "held") return "held";
  return manner === "list" && lane === "reveal" ? "look" : SHARE_OF[lane];
}

export class InFlight {
  readonly #slots = Object.fromEntries(
    SHARES.map((share) => [share, new Semaphore<Lane>(SLOTS[share], LANES)]),
  ) as Readonly<Record<SlotShare, Semaphore<Lane>>>;

  /** How to call off each request that nothing waits for, the oldest first. */
  readonly #left = new Set<() => void>();

  /** Requests on their way. */
  count(): number {
    return SHARES.reduce((sum, share) => sum + this.#slots[share].taken(), this.#left.size);
  }

  /** Counts a request that gave its slot back, until what this returns is called. `callOff` ends it. */
  leaveBehind(callOff: () => void): () => void {
    const [oldest] = this.#left;
    if (oldest !== undefined && this.#left.size >= MAX_LEFT) {
      this.#left.delete(oldest);
      oldest();
    }
    const entry = () => callOff();
    this.#left.add(entry);
    return () => void this.#left.delete(entry);
  }

  /** Resolves when a request may leave, with what to call when it is over; rejects with the signal's reason. */
  async enter(lane: Lane, share: SlotShare, signal: AbortSignal | undefined): Promise<() => void> {
    const slot = await this.#slots[share].enter(signal, lane);
    if (slot === undefined) throw signal?.reason;
    return () => slot[Symbol.dispose]();
  }
}
