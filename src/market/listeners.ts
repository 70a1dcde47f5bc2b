type Listener<Args extends readonly unknown[]> = (...args: Args) => void;

/** Who hears what a marketplace tells. One that throws keeps nothing from the others. */
export class Listeners<Events extends Record<keyof Events, readonly unknown[]>> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Returns what takes it off again. One listener may be added twice. */
  on<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): () => void {
    const added: Listener<Events[Name]> = (...args) => listener(...args);
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(added as Listener<never>));
    return () => listeners.delete(added as Listener<never>);
  }

  /** Throws what the first listener threw that did, when all were told. */
  emit<Name extends keyof Events>(event: Name, ...args: Events[Name]): void {
    const thrown: unknown[] = [];
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        (listener as unknown as Listener<Events[Name]>)(...args);
      } catch (error) {
        thrown.push(error);
      }
    }
    if (thrown.length > 0) throw thrown[0];
  }
}
