/**
 * How many frames of the event stream are looked at: what a busy marketplace may send, several times over. A flood of
 * one kind takes nothing from the others, so that blocks are heard whatever else comes.
 */

/** A bucket: `burst` at once, and `perSecond` from then on. */
interface Terms {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * 200 bounties in one block, with a hundred engines on each, have room. All that we go by has a bucket of its own; what
 * is not here, votes among it, is `other`.
 */
const FRAMES: Readonly<Record<string, Terms>> = {
  block: { burst: 1_000, perSecond: 100 },
  bounty: { burst: 1_000, perSecond: 100 },
  assertion: { burst: 20_000, perSecond: 1_000 },
  reveal: { burst: 20_000, perSecond: 1_000 },
  quorum: { burst: 1_000, perSecond: 100 },
  settled_bounty: { burst: 20_000, perSecond: 1_000 },
  fee_update: { burst: 100, perSecond: 10 },
  window_update: { burst: 100, perSecond: 10 },
  deprecated: { burst: 100, perSecond: 10 },
  undeprecated: { burst: 100, perSecond: 10 },
};
const OTHERS: Terms = { burst: 5_000, perSecond: 500 };

/** Larger ones also count by their size: they are looked through for what they say beside metadata. */
const SMALL_BYTES = 65_536;
const LARGE: Terms = { burst: 64 * 2 ** 20, perSecond: 8 * 2 ** 20 };

/** Told at most so often how many were dropped. */
const TELL_EVERY_MS = 60_000;

interface FrameRateOptions {
  /** Milliseconds that never go back. */
  readonly steadyMs: () => number;
  /** `frames` were dropped since it was told last, this kind among them. */
  readonly tell: (facts: { readonly event: string; readonly frames: number }) => void;
}

export class FrameRate {
  readonly #options: FrameRateOptions;
  readonly #buckets = new Map<string, Bucket>();
  readonly #large: Bucket;
  #dropped = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(options: FrameRateOptions) {
    this.#options = options;
    this.#large = new Bucket(LARGE, options.steadyMs());
  }

  /** Whether a frame is looked at; the name of its event where it is not, undefined where it is. */
  refuses(frame: Buffer): string | undefined {
    const now = this.#options.steadyMs();
    const name = nameOf(frame);
    const fits = frame.length <= SMALL_BYTES || this.#large.take(frame.length, now);
    if (fits && this.#bucket(name, now).take(1, now)) return undefined;
    this.#dropped++;
    if (now - this.#toldAt >= TELL_EVERY_MS) {
      this.#options.tell({ event: name, frames: this.#dropped });
      this.#dropped = 0;
      this.#toldAt = now;
    }
    return name;
  }

  #bucket(name: string, now: number): Bucket {
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    const bucket = new Bucket(FRAMES[name] ?? OTHERS, now);
    this.#buckets.set(name, bucket);
    return bucket;
  }
}

/** A look at the beginning, where gateways write it; for counting only. */
function nameOf(frame: Buffer): string {
  const [, name = ""] = /"event"\s*:\s*"(\w+)"/.exec(frame.toString("latin1", 0, 64)) ?? [];
  return Object.hasOwn(FRAMES, name) ? name : "other";
}

class Bucket {
  readonly #terms: Terms;
  #left: number;
  #at: number;

  constructor(terms: Terms, now: number) {
    this.#terms = terms;
    this.#left = terms.burst;
    this.#at = now;
  }

  take(amount: number, now: number): boolean {
    const { burst, perSecond } = this.#terms;
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1_000) * perSecond);
    this.#at = now;
    if (this.#left < amount) return false;
    this.#left -= amount;
    return true;
  }
}
