import type { Lane } from "./lane.ts";
import { LaneQueue } from "./lane-queue.ts";

/**
 * How many requests are on their way at once. Each share has slots of its own, so that nothing in one waits for another:
 * a reveal never waits for anything less urgent, nothing that is signed waits for what is only read, and nothing at all
 * for receipts, which the gateway holds back. In a share the more urgent leave first, then those that came first.
 */
export type Share = "reveal" | "action" | "read" | "held";
const SLOTS: Readonly<Record<Share, number>> = { reveal: 32, action: 24, read: 24, held: 48 };
const SHARES = Object.keys(SLOTS) as Share[];

/** In all. */
export const MAX_IN_FLIGHT = SHARES.reduce((sum, share) => sum + SLOTS[share], 0);

const SHARE_OF: Readonly<Record<Lane, Share>> = {
  reveal: "reveal",
  assertion: "action",
  settle: "action",
  read: "read",
};

/** `how` says whether the gateway holds the answer back. */
export const shareOf = (lane: Lane, how: "held" | "prompt"): Share =>
  how === "held" ? "held" : SHARE_OF[lane];

export class InFlight {
  readonly #busy: Record<Share, number> = { reveal: 0, action: 0, read: 0, held: 0 };
  readonly #waiting: Readonly<Record<Share, LaneQueue<() => void>>> = {
    reveal: new LaneQueue(),
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
