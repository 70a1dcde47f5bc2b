import { RecentMap } from "./recent-map.ts";

/**
 * Remembers the last keys that it was shown, to tell news from repetitions: `if (told.add(reason)) log.warn(...)`. With room
 * for one, everything is news that is not the same as the one before.
 */
export class RecentKeys {
  readonly #keys: RecentMap<true>;

  /** `forgetMs`: a key is news again so long after it was (default: never). `now`: milliseconds that never go back. */
  constructor(most: number, terms: { readonly forgetMs?: number; readonly now?: () => number } = {}) {
    this.#keys = new RecentMap({ most, forgetMs: terms.forgetMs, now: terms.now });
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }

  /** Whether the key is new. */
  add(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.set(key, true);
    return true;
  }
}
