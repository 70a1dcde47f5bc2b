import type { ProducerEvents, Tell } from "./events.ts";

/** Passes on what is told before the metrics are there that count it: the first reveals wait for no metrics. */
export class RelayEvents {
  readonly #log: Tell;
  readonly #early: (readonly [keyof ProducerEvents, ProducerEvents[keyof ProducerEvents]])[] = [];
  #also: Tell | undefined;

  constructor(log: Tell) {
    this.#log = log;
  }

  readonly tell: Tell = (event, facts) => {
    this.#log(event, facts);
    if (this.#also === undefined) this.#early.push([event, facts]);
    else this.#also(event, facts);
  };

  /** Has everything heard by `also`, what was told so far included. */
  count(also: Tell): void {
    this.#also = also;
    for (const [event, facts] of this.#early.splice(0)) also(event, facts as never);
  }
}
