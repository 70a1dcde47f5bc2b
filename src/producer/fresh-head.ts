import type { Marketplace } from "../market/port.ts";

/** The newest block, asked for at most once for each block that the event stream tells of, however many want to know. */
export class FreshHead {
  readonly #market: Pick<Marketplace, "head" | "freshHead">;
  #answer: { readonly at: number; readonly head: Promise<number> } | undefined;

  constructor(market: Pick<Marketplace, "head" | "freshHead">) {
    this.#market = market;
  }

  /** Rejects when the marketplace cannot be asked. */
  ask(): Promise<number> {
    const at = this.#market.head();
    if (this.#answer?.at !== at) this.#answer = { at, head: this.#market.freshHead() };
    return this.#answer.head;
  }
}
