import { RecentMap } from "../async/recent-map.ts";

/** How many processes one artifact may kill, and for how long it is remembered. */
interface PoisonTerms {
  readonly deaths: number;
  readonly forgetMs: number;
  /** Artifacts remembered at most; the longest unseen are forgotten first. */
  readonly most: number;
}

const POISON_TERMS: PoisonTerms = { deaths: 2, forgetMs: 600_000, most: 1_000 };

/**
 * Which contents have killed the processes of one scanner lately. The same file comes in many bounties; one that has
 * killed twice is not tried a third time until it is forgotten.
 */
export class PoisonMemory {
  readonly #most: number;
  readonly #deaths: RecentMap<number>;

  /** `now`: milliseconds that never go back. */
  constructor({ deaths, forgetMs, most }: PoisonTerms = POISON_TERMS, now?: () => number) {
    this.#most = deaths;
    this.#deaths = new RecentMap({ most, forgetMs, now });
  }

  /** A process died over this content. */
  died(sha256: string): void {
    this.#deaths.set(sha256, (this.#deaths.get(sha256) ?? 0) + 1);
  }

  /** Why this content is not scanned, if so. */
  refusal(sha256: string): string | undefined {
    if ((this.#deaths.get(sha256) ?? 0) < this.#most) return undefined;
    return `It has ended ${this.#most} processes of this scanner lately, and is not tried again until those are forgotten.`;
  }
}
