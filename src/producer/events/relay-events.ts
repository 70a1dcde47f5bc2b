import type { ChainName } from "../../domain/chain.ts";
import type { ProducerEvents, Tell } from "./events.ts";

/**
 * Passes on what is told before those who want to hear it are there: the first reveals wait for no metrics and no
 * distillation engine.
 */
export class RelayEvents {
  readonly #log: Tell;
  readonly #early: (readonly [keyof ProducerEvents, ProducerEvents[keyof ProducerEvents]])[] = [];
  readonly #wrapped = new Map<ChainName, Tell>();
  #also: Tell | undefined;

  constructor(log: Tell) {
    this.#log = log;
  }

  readonly tell: Tell = (event, facts) => {
    this.#log(event, facts);
    if (this.#also === undefined) this.#early.push([event, facts]);
    else this.#also(event, facts);
  };

  /** As `tell`, for what happens on one chain. */
  on(chain: ChainName): Tell {
    return (event, facts) => (this.#wrapped.get(chain) ?? this.tell)(event, facts);
  }

  /** Has everything heard by `also`, what was told so far included. */
  count(also: Tell): void {
    this.#also = also;
    for (const [event, facts] of this.#early.splice(0)) also(event, facts as never);
  }

  /** From now on, what happens on the chain is told by what `wrap` makes of `tell`. */
  wrap(chain: ChainName, wrap: (tell: Tell) => Tell): void {
    this.#wrapped.set(chain, wrap(this.tell));
  }
}
