import { describeError } from "../../../domain/fault.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { SignedTransaction } from "../../../wallet/transaction.ts";
import type { TellOnchain } from "../port/events.ts";
import { transactionOf } from "../port/journal.ts";
import type { Marketplace } from "../port/marketplace.ts";
import { lastBefore } from "./market-notes.ts";

/** Blocks between two looks while something signed is not mined. */
const LOOK_EVERY_BLOCKS = 2;
const MAX_PAUSE_BLOCKS = 32;
/** The hole and those behind it; the gateway takes ten transactions in a request. */
const AT_ONCE = 10;

interface NonceHolesParts {
  readonly market: Pick<Marketplace, "id" | "on" | "resendAll">;
  readonly ledger: Pick<Ledger, "newestSequence" | "entriesBySequence" | "note">;
  readonly tell: TellOnchain;
}

/**
 * Finds the hole that a lost transaction leaves in our account nonces, and fills it with the very bytes that are
 * missing. Nothing of the account is mined behind a hole; and the bounty of the missing transaction may long be over,
 * so that no duty hands it over again.
 *
 *     at rest ──something signed is not mined──► watching ──the count of mined ones moves──► watching
 *        ▲                                         │   ▲
 *        └──all signed is mined────────────────────┘   │ pause: 2, 4, ... 32 blocks
 *                                                  └──it stands still──► handing over from there, in order
 *
 * The same bytes are mined once or never, so a look too many costs a request. A hole whose bytes the ledger does not have
 * is filled by the next signature. What was signed before the chain began anew (start/chain-anew.ts) fills nothing: it was
 * mined on a chain that is no more.
 */
export class NonceHoles {
  readonly #parts: NonceHolesParts;
  #nextLook = 0;
  #pause = LOOK_EVERY_BLOCKS;
  #mined: bigint | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: NonceHolesParts) {
    this.#parts = parts;
  }

  /** Looks as blocks come, until the returned is disposed of or `stop` is called. */
  listen(): Disposable {
    const listening = new DisposableStack();
    listening.defer(this.#parts.market.on("block", ({ number }) => this.#heardBlock(number)));
    return listening;
  }

  /** Looks no more; resolves when a look under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#looking;
  }

  #heardBlock(number: number): void {
    if (this.#stopped || this.#looking !== undefined || number < this.#nextLook) return;
    this.#nextLook = number + this.#pause;
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      this.#nextLook = number + this.#pause;
    });
  }

  async #look(): Promise<void> {
    const { market, ledger, tell } = this.#parts;
    const newest = ledger.newestSequence(market.id, lastBefore(ledger, market.id));
    if (newest === undefined || (this.#mined !== undefined && newest < this.#mined)) return;
    let missing: readonly SignedTransaction[] = [];
    try {
      await market.resendAll((mined) => {
        missing = this.#missingFrom(mined, newest);
        return missing.map((transaction) => [transaction]);
      });
    } catch (error) {
      // A gateway that cannot be asked is asked again; its silence is told of elsewhere.
      if (missing.length === 0) return;
      tell("nonces.handing-over-failed", { market: market.id, reason: describeError(error) });
    }
  }

  /** Empty unless the count of mined transactions stands still although something was signed from there on. */
  #missingFrom(mined: bigint, newest: bigint): readonly SignedTransaction[] {
    const { market, ledger, tell } = this.#parts;
    const stands = this.#mined === mined && newest >= mined;
    this.#mined = mined;
    if (!stands) {
      this.#pause = LOOK_EVERY_BLOCKS;
      return [];
    }
    this.#pause = Math.min(this.#pause * 2, MAX_PAUSE_BLOCKS);
    const missing = ledger
      .entriesBySequence(market.id, mined, AT_ONCE, lastBefore(ledger, market.id))
      .map(transactionOf);
    if (missing.length > 0)
      tell("nonces.handed-over", {
        market: market.id,
        nonce: mined.toString(),
        transactions: missing.length,
      });
    return missing;
  }
}
