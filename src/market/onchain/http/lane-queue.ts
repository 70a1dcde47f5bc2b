import { LANES, type Lane } from "./lane.ts";

/** What waits, by lane and then in the order of coming. Every operation takes the same time however many wait. */
export class LaneQueue<Waiter> {
  readonly #lanes: Readonly<Record<Lane, Set<Waiter>>> = {
    reveal: new Set(),
    assertion: new Set(),
    settle: new Set(),
    read: new Set(),
  };

  add(lane: Lane, waiter: Waiter): void {
    this.#lanes[lane].add(waiter);
  }

  delete(lane: Lane, waiter: Waiter): void {
    this.#lanes[lane].delete(waiter);
  }

  /** The most urgent lane in which something waits. */
  lane(): Lane | undefined {
    return LANES.find((lane) => this.#lanes[lane].size > 0);
  }

  /** The next one; it does not wait any more then. */
  take(): Waiter | undefined {
    const lane = this.lane();
    if (lane === undefined) return undefined;
    const [first] = this.#lanes[lane];
    if (first !== undefined) this.#lanes[lane].delete(first);
    return first;
  }
}
