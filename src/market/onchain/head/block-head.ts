import type { BlockNumber } from "../port/block.ts";

/** So many numbers in a row that follow one another, but not the head, are a chain that was reset. */
const RESET_AFTER = 5;
/** Blocks. The head goes no further on a single word. */
const LEAP = 100;
/** Blocks. A node so far behind the others lags; and two sources so near to each other agree. */
const LAG = 50;

/** What a number turned out to be; `odd`: too far from the head to be believed alone. */
type Weight = "news" | "known" | "odd";

type Source = "stream" | "status";

interface Stray {
  readonly number: BlockNumber;
  readonly run: number;
  /** The head was not named since. */
  readonly undisputed: boolean;
}

const OTHER: Readonly<Record<Source, Source>> = { stream: "status", status: "stream" };

/**
 * The newest block, from two sources that are both fallible: the event stream and the gateway's status. Numbers that are
 * a little ahead count at once; one that is a little behind comes from a node that lags. What is further away, in
 * either direction, is another chain's number, or the truth after hours without a connection, or a chain that was
 * reset: it counts when both sources say so, or when one of them goes on from there for a while. What is said of the
 * old head in between speaks against it; but a status that stands still, as a cached one does, is no word against a
 * stream that goes on. So a single wrong number never makes every reveal look too late.
 */
export class BlockHead {
  #number: BlockNumber | undefined;
  #blockMs: number | undefined;
  #lastHeard: { readonly number: BlockNumber; readonly atMs: number } | undefined;
  /** By source: the last number that did not follow, and how many led up to it. */
  #strays: { [From in Source]?: Stray } = {};
  /** The status gave it last. */
  #status: BlockNumber | undefined;

  number(): BlockNumber | undefined {
    return this.#number;
  }

  /** Milliseconds from block to block, smoothed; undefined before two were heard. */
  blockMs(): number | undefined {
    return this.#blockMs;
  }

  /** A number from the stream. `atMs` is any clock that does not step. */
  heard(number: BlockNumber, atMs: number): Weight {
    const weight = this.#weigh("stream", number);
    if (this.#number !== number) return weight;
    const before = this.#lastHeard;
    if (before !== undefined && follows(before.number, number)) {
      this.#measure((atMs - before.atMs) / (number - before.number));
    }
    if (before?.number !== number) this.#lastHeard = { number, atMs };
    return weight;
  }

  /** A number that the gateway gave as its status. */
  asked(number: BlockNumber): Weight {
    const word = number === this.#status ? "repeated" : "new";
    this.#status = number;
    return this.#weigh("status", number, word);
  }

  #weigh(source: Source, number: BlockNumber, word: "new" | "repeated" = "new"): Weight {
    const head = this.#number;
    if (head === undefined || follows(head, number)) return this.#accept(number);
    if (head === number) {
      const { stream } = this.#strays;
      this.#strays =
        word === "repeated" && stream !== undefined ? { stream: { ...stream, undisputed: false } } : {};
      return "known";
    }
    const run = this.#stray(source, number);
    const lags = number < head && head - number <= LAG;
    const other = this.#strays[OTHER[source]];
    const agreed = other?.undisputed === true && Math.abs(other.number - number) <= LAG;
    if (run >= RESET_AFTER) return this.#accept(number);
    if (agreed && !lags) return this.#accept(other.number > number ? other.number : number);
    return lags ? "known" : "odd";
  }

  /** How many numbers of this source in a row lead up to this one. */
  #stray(source: Source, number: BlockNumber): number {
    const before = this.#strays[source];
    if (before?.number === number) return before.run;
    const run = before !== undefined && follows(before.number, number) ? before.run + 1 : 1;
    this.#strays[source] = { number, run, undisputed: true };
    return run;
  }

  #accept(number: BlockNumber): Weight {
    this.#number = number;
    this.#strays = {};
    return "news";
  }

  #measure(ms: number): void {
    this.#blockMs = this.#blockMs === undefined ? ms : this.#blockMs * 0.8 + ms * 0.2;
  }
}

const follows = (before: BlockNumber, number: BlockNumber): boolean =>
  number > before && number - before <= LEAP;
