interface Waiter<Key> {
  readonly key: Key;
  /** Takes it out of the line. */
  readonly letIn: () => void;
}

/**
 * What waits until it is let in, in the order of coming; keys that are in the line's order go by that first, all others
 * come last. Every step takes the same time however many wait.
 */
export class WaitingLine<Key = undefined> {
  readonly #ranked: ReadonlyMap<Key, Set<Waiter<Key>>>;
  readonly #others = new Set<Waiter<Key>>();

  constructor(order: readonly Key[] = []) {
    this.#ranked = new Map(order.map((key) => [key, new Set<Waiter<Key>>()]));
  }

  /** Whether it was let in; false when the signal aborted first. */
  async wait(key: Key, signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted) return false;
    const line = this.#ranked.get(key) ?? this.#others;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const letIn = (): void => {
      if (line.delete(waiter)) resolve(true);
    };
    const giveUp = (): void => {
      if (line.delete(waiter)) resolve(false);
    };
    const waiter: Waiter<Key> = { key, letIn };
    line.add(waiter);
    signal?.addEventListener("abort", giveUp, { once: true });
    return promise.finally(() => signal?.removeEventListener("abort", giveUp));
  }

  /** Who is next. */
  first(): Waiter<Key> | undefined {
    return this[Symbol.iterator]().next().value ?? undefined;
  }

  /** In order; who is let in on the way is not met again. */
  *[Symbol.iterator](): Generator<Waiter<Key>, undefined> {
    for (const line of this.#ranked.values()) yield* line;
    yield* this.#others;
  }
}
