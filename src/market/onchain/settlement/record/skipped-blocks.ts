/**
 * Notices that the event stream left blocks out, and with them perhaps other events. A gateway that is slow to look leaves
 * out one now and then, so this is said once in `everyBlocks` at most; a gap that comes sooner is told of when that is over.
 */
export class SkippedBlocks {
  readonly #everyBlocks: number;
  #heard: number;
  #untold = false;
  #notBefore = 0;

  constructor(head: number, everyBlocks: number) {
    this.#heard = head;
    this.#everyBlocks = everyBlocks;
  }

  /** To be called with every block heard of; whether some before it were left out since this was true the last time. */
  before(number: number): boolean {
    if (number > this.#heard + 1) this.#untold = true;
    this.#heard = number;
    if (!this.#untold || number < this.#notBefore) return false;
    this.#untold = false;
    this.#notBefore = number + this.#everyBlocks;
    return true;
  }
}
