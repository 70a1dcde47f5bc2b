import type { Marketplace } from "../market/port.ts";

/** Asks at most once for each block that the event stream tells of, however many want to know. */
export class OnceABlock<T> {
  readonly #market: Pick<Marketplace, "head">;
  readonly #question: () => Promise<T>;
  #answer: { readonly at: number; readonly given: Promise<T> } | undefined;

  constructor(market: Pick<Marketplace, "head">, question: () => Promise<T>) {
    this.#market = market;
    this.#question = question;
  }

  /** Rejects when the marketplace cannot be asked. */
  ask(): Promise<T> {
    const at = this.#market.head();
    if (this.#answer?.at !== at) this.#answer = { at, given: this.#question() };
    return this.#answer.given;
  }
}
