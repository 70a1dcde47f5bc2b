import type { Guid } from "../../../domain/guid.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { BlockNumber } from "../port/block.ts";
import type { TellOnchain } from "../port/events.ts";
import type { Marketplace } from "../port/marketplace.ts";
import { MARKET_NOTES } from "./market-notes.ts";

/** Blocks by which an event may be ahead of the newest block heard of. */
const AHEAD = 10;

/**
 * Whether the registry of a chain is deprecated: it takes no new bounties, all else goes on. Said once by the market and
 * noted in the ledger, so that a restart keeps it.
 *
 *     in use ──`deprecated`──► announced ──AHEAD blocks without a bounty posted later──► deprecated
 *        ▲                         │                                                         │
 *        └─────────────────────────┴──`undeprecated`, or a bounty posted later───────────────┘
 *
 * The contract takes assertions all the same; we make none, because a gateway is led to the next registry some time after
 * a deprecation, and then neither reveals nor settles on this one. The news that a deprecation was taken back may be
 * missed, like everything on the stream. But a deprecated registry refuses bounties, so one that was posted in a later
 * block proves it. There is no other source to ask, so one frame binds only until the market shows otherwise: a
 * block that lies ahead of what can have been heard of is brought back to there, whenever it was noted.
 */
export class Deprecation {
  readonly #parts: { readonly market: Marketplace; readonly ledger: Ledger; readonly tell: TellOnchain };
  #since: number | undefined;

  constructor(parts: { readonly market: Marketplace; readonly ledger: Ledger; readonly tell: TellOnchain }) {
    this.#parts = parts;
    this.reread();
  }

  /** Hears what the marketplace tells of it, until the returned is disposed of. */
  listen(): Disposable {
    const { market, tell } = this.#parts;
    const listening = new DisposableStack();
    listening.defer(
      market.on("deprecated", ({ rollover, since }) => {
        // A later block than the true one delays the proof; an earlier one would let an old bounty pass for it.
        this.#note(since ?? Number.MAX_SAFE_INTEGER);
        this.#bound();
        tell("market.deprecated", { market: market.id, rollover });
      }),
    );
    listening.defer(market.on("undeprecated", () => this.#lift({})));
    listening.defer(market.on("block", () => this.#bound()));
    return listening;
  }

  /** Takes over what the ledger has noted, which it forgets together with another registry. */
  reread(): void {
    const { market, ledger } = this.#parts;
    const noted = ledger.note(market.id, MARKET_NOTES.deprecated);
    this.#since = noted === undefined ? undefined : Number(noted);
  }

  active(): boolean {
    return this.#since !== undefined;
  }

  /** It was announced, and the market has not had the time to show otherwise. */
  unconfirmed(): boolean {
    const { market } = this.#parts;
    return this.#since !== undefined && (!market.headKnown() || market.head() < this.#since + AHEAD);
  }

  /** Tells of a bounty that was posted in this block, or in a later one. */
  posted(guid: Guid, atLeast: BlockNumber): void {
    if (this.#since !== undefined && atLeast > this.#since) this.#lift({ proof: guid });
  }

  #bound(): void {
    const { market } = this.#parts;
    if (this.#since === undefined || !market.headKnown()) return;
    const latest = market.head() + AHEAD;
    if (!(this.#since <= latest)) this.#note(latest);
  }

  #lift(why: { readonly proof?: Guid }): void {
    const { market, tell } = this.#parts;
    if (this.#since === undefined) return;
    this.#note(undefined);
    tell("market.undeprecated", { market: market.id, ...why });
  }

  #note(since: number | undefined): void {
    this.#since = since;
    this.#parts.ledger.setNote(this.#parts.market.id, MARKET_NOTES.deprecated, since?.toString());
  }
}
