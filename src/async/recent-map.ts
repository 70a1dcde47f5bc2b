interface RecentTerms<Value> {
  /** How much is remembered: entries, or the sum of what they weigh. */
  readonly most: number;
  /** Default: each weighs 1. */
  readonly weigh?: (value: Value) => number;
  /** Milliseconds after which an entry is forgotten. Default: never. */
  readonly forgetMs?: number | undefined;
  /** Milliseconds that never go back. */
  readonly now?: (() => number) | undefined;
}

interface Entry<Value> {
  readonly value: Value;
  readonly at: number;
  readonly weight: number;
}

/** Values by keys, as many as there is room for; the longest unused is forgotten first. */
export class RecentMap<Value> {
  readonly #terms: Required<{ [Term in keyof RecentTerms<Value>]: NonNullable<RecentTerms<Value>[Term]> }>;
  // A Map keeps the order of insertion: what is put back is the youngest.
  readonly #entries = new Map<string, Entry<Value>>();
  #weight = 0;

  constructor({
    most,
    weigh = () => 1,
    forgetMs = Number.POSITIVE_INFINITY,
    now = () => performance.now(),
  }: RecentTerms<Value>) {
    this.#terms = { most, weigh, forgetMs, now };
  }

  /** A use: it is the youngest from now on, and no longer remembered for it. */
  get(key: string): Value | undefined {
    const entry = this.#recent(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** No use. */
  has(key: string): boolean {
    return this.#recent(key) !== undefined;
  }

  set(key: string, value: Value): void {
    this.delete(key);
    const weight = this.#terms.weigh(value);
    this.#entries.set(key, { value, at: this.#terms.now(), weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#terms.most) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0;
    this.#entries.delete(key);
  }

  #recent(key: string): Entry<Value> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#terms.now() - entry.at < this.#terms.forgetMs) return entry;
    this.delete(key);
    return undefined;
  }
}
