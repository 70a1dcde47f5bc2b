/**
 * Account nonces of one chain. Counted here, so that a bounty need not wait for the one before it; asked for again from
 * the node whenever a count may be wrong.
 *
 *     stale ──resync──► counting ──doubt()──► stale
 *
 * Reservations are made and used inside one mutex (see transactions.ts), so at most one is open at a time and giving it
 * back leaves no gap.
 */

/** What the node says of our account. */
interface NonceSource {
  /** The transaction count, pending ones included. */
  pendingCount(): Promise<bigint>;
  /** The nonces of ours in the node's pool, in any order; may be a second old. */
  pool(): Promise<readonly bigint[]>;
}

/** More holes than this are not what trouble leaves behind, but what a gateway made up. */
const MAX_GAPS = 16;

export class Nonces {
  readonly #source: NonceSource;
  #next: bigint | undefined;
  #gaps: readonly bigint[] = [];

  constructor(source: NonceSource) {
    this.#source = source;
  }

  /** The first of `count` consecutive nonces that are free. */
  async reserve(count: number): Promise<bigint> {
    if (this.#next === undefined) return this.#resync(BigInt(count));
    const first = this.#next;
    this.#next = first + BigInt(count);
    this.#gaps = [];
    return first;
  }

  /** Whether the next reservation is certainly free without asking the node. */
  sure(): boolean {
    return this.#next !== undefined;
  }

  /** What the last reservation had to leave free below itself: nothing from there on is mined until these are used. */
  gaps(): readonly bigint[] {
    return this.#gaps;
  }

  /** `first` and what was reserved behind it certainly never reached the node. */
  giveBack(first: bigint): void {
    if (this.#next !== undefined && first < this.#next) this.#next = first;
  }

  /** Something happened that the count may not know of: ask the node before the next reservation. */
  doubt(): void {
    this.#next = undefined;
  }

  /**
   * The pending count is the end of the unbroken run; pool entries beyond it mean a gap there, which holds up
   * everything behind it. The gap is filled first where the reservation fits, else it comes after the last entry.
   */
  async #resync(count: bigint): Promise<bigint> {
    const [start, pool] = await Promise.all([this.#source.pendingCount(), this.#source.pool()]);
    let first = start;
    for (const nonce of [...pool].sort((a, b) => (a < b ? -1 : 1))) {
      if (nonce >= first && nonce < first + count) first = nonce + 1n;
    }
    this.#gaps = freeBetween(start, first, pool);
    const next = first + count;
    // Inside a gap the next one may be taken: stay in doubt until we are past everything in the pool.
    this.#next = pool.some((nonce) => nonce >= next) ? undefined : next;
    return first;
  }
}

function freeBetween(start: bigint, end: bigint, pool: readonly bigint[]): bigint[] {
  const taken = new Set(pool);
  const free: bigint[] = [];
  for (let nonce = start; nonce < end && free.length < MAX_GAPS; nonce++) {
    if (!taken.has(nonce)) free.push(nonce);
  }
  return free;
}
