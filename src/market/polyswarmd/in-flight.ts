import type { Lane } from "./lane.ts";
import { LaneQueue } from "./lane-queue.ts";

/**
 * How many requests are on their way at once. Each share has slots of its own, so that nothing in one waits for another:
 * a reveal never waits for anything less urgent, nothing that is signed waits for what is only read, and nothing at all
 * for receipts, which the gateway holds back. A list of assertions that a reveal would like to see (`look`) is as slow as
 * the metadata that strangers put into it, and the reveal goes without it, so it has no slots of what is signed either.
 * In a share the more urgent leave first, then those that came first.
 */
export type Share = "reveal" | "look" | "action" | "read" | "held";
const SLOTS: Readonly<Record<Share, number>> = { reveal: 32, look: 16, action: 20, read: 20, held: 40 };
const SHARES = Object.keys(SLOTS) as Share[];

/** In all. */
export const MAX_IN_FLIGHT = SHARES.reduce((sum, share) => sum + SLOTS[share], 0);

const SHARE_OF: Readonly<Record<Lane, Share>> = {
  reveal: "reveal",
  assertion: "action",
  settle: "action",
  read: "read",
};

/** How an answer comes: held back by the gateway, as a list of assertions, or at once. */
export type Manner = "held" | "list" | "prompt";

export function shareOf(lane: Lane, manner: Manner): Share {
  if (manner === "held") return "held";
  return manner === "list" && lane === "reveal" ? "look" : SHARE_OF[lane];
}

export class InFlight {
  readonly #busy: Record<Share, number> = { reveal: 0, look: 0, action: 0, read: 0, held: 0 };
  readonly #waiting: Readonly<Record<Share, LaneQueue<() => void>>> = {
    reveal: new LaneQueue(),
    look: new LaneQueue(),
    action: new LaneQueue(),
    read: new LaneQueue(),
    held: new LaneQueue(),
  };

  /** Requests on their way. */
  count(): number {
    return SHARES.reduce((sum, share) => sum + this.#busy[share], 0);
  }

  /** Resolves when a request may leave, with what to call when it is over; rejects with the signal's reason. */
  async enter(lane: Lane, share: Share, signal: AbortSignal | undefined): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#busy[share] >= SLOTS[share]) await this.#wait(lane, share, signal);
    else this.#busy[share]++;
    return () => this.#leave(share);
  }

  async #wait(lane: Lane, share: Share, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const queue = this.#waiting[share];
    const giveUp = () => {
      queue.delete(lane, resolve);
      reject(signal?.reason);
    };
    queue.add(lane, resolve);
    signal?.addEventListener("abort", giveUp, { once: true });
    await promise.finally(() => signal?.removeEventListener("abort", giveUp));
  }

  /** Hands the slot over without its becoming free in between. */
  #leave(share: Share): void {
    const admit = this.#waiting[share].take();
    if (admit === undefined) this.#busy[share]--;
    else admit();
  }
}
