/** How many processes one artifact may kill, and for how long it is remembered. */
interface PoisonTerms {
  readonly deaths: number;
  readonly forgetMs: number;
  /** Artifacts remembered at most; the longest unseen are forgotten first. */
  readonly most: number;
}

const POISON_TERMS: PoisonTerms = { deaths: 2, forgetMs: 600_000, most: 1_000 };

interface Deaths {
  readonly count: number;
  /** Of the last one. */
  readonly at: number;
}

/**
 * Which contents have killed the processes of one scanner lately. The same file comes in many bounties; one that has
 * killed twice is not tried a third time until it is forgotten.
 */
export class PoisonMemory {
  readonly #terms: PoisonTerms;
  readonly #now: () => number;
  readonly #deaths = new Map<string, Deaths>();

  /** `now`: milliseconds that never go back. */
  constructor(terms: PoisonTerms = POISON_TERMS, now: () => number = () => performance.now()) {
    this.#terms = terms;
    this.#now = now;
  }

  /** A process died over this content. */
  died(sha256: string): void {
    const count = (this.#recent(sha256)?.count ?? 0) + 1;
    // Put back, it is the youngest: a Map keeps the order of insertion.
    this.#deaths.delete(sha256);
    this.#deaths.set(sha256, { count, at: this.#now() });
    if (this.#deaths.size > this.#terms.most) this.#deaths.delete(this.#deaths.keys().next().value!);
  }

  /** Why this content is not scanned, if so. */
  refusal(sha256: string): string | undefined {
    const { deaths } = this.#terms;
    if ((this.#recent(sha256)?.count ?? 0) < deaths) return undefined;
    return `It has ended ${deaths} processes of this scanner lately, and is not tried again until those are forgotten.`;
  }

  #recent(sha256: string): Deaths | undefined {
    const deaths = this.#deaths.get(sha256);
    if (deaths === undefined || this.#now() - deaths.at < this.#terms.forgetMs) return deaths;
    this.#deaths.delete(sha256);
    return undefined;
  }
}
