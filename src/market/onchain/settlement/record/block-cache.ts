import type { Marketplace } from "../../port/marketplace.ts";

/**
 * Asks at most once for each block that the event stream tells of, however many want to know. While an answer takes longer
 * than a block those who come later get the same one: it is no older than when the first of them asked, and a gateway
 * that is slow is not asked ever more at once.
 */
export class BlockCache<T> {
  readonly #market: Pick<Marketplace, "head">;
  readonly #question: () => Promise<T>;
  #answer: { readonly at: number; readonly given: Promise<T> } | undefined;
  #asking = false;

  constructor(market: Pick<Marketplace, "head">, question: () => Promise<T>) {
    this.#market = market;
    this.#question = question;
  }

  /** Rejects when the marketplace cannot be asked. */
  ask(): Promise<T> {
    const at = this.#market.head();
    if (this.#answer === undefined || (this.#answer.at !== at && !this.#asking)) {
      this.#asking = true;
      const given = this.#question().finally(() => {
        this.#asking = false;
      });
      this.#answer = { at, given };
    }
    return this.#answer.given;
  }
}
