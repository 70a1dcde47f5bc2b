/**
 * A chain that seemed to have begun anew (chain-anew.ts) may have been a node that lost its blocks, or had not read them yet,
 * and has them a minute later. What was written off then is taken back while the producer runs: a reveal has no time for the
 * next start.
 *
 *     written off ──the chain counts our transactions again, and knows a bounty that was written off──► taken back
 *          ▲                                     │
 *          └──otherwise: 2, 4, ... 32 blocks─────┘
 *
 * A GUID is of one chain only, so one such bounty is enough. What is taken back is called as far as something was signed for
 * it, fate unknown: the duties look on the market for what became of it, as after a crash.
 */
import type { Ledger } from "../../../ledger/ledger.ts";
import type { TellOnchain } from "../port/events.ts";
import type { Marketplace } from "../port/marketplace.ts";
import { MARKET_NOTES } from "./market-notes.ts";

interface ChainBackParts {
  readonly market: Pick<Marketplace, "id" | "on" | "transactionCount" | "bounty">;
  readonly ledger: Ledger;
  readonly tell: TellOnchain;
  /** Called when bounties were taken back. */
  readonly resume: () => void;
}

/** Bounties that are asked for; the newest were written off with the most to lose. */
const MOST_ASKED = 10;
const FIRST_PAUSE_BLOCKS = 2;
const LONGEST_PAUSE_BLOCKS = 32;

export class ChainBack {
  readonly #parts: ChainBackParts;
  readonly #stop = new AbortController();
  #nextLook = 0;
  #pause = FIRST_PAUSE_BLOCKS;
  #looking: Promise<void> | undefined;

  constructor(parts: ChainBackParts) {
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
    this.#stop.abort();
    await this.#looking;
  }

  #heardBlock(number: number): void {
    if (this.#stop.signal.aborted || this.#looking !== undefined || number < this.#nextLook) return;
    const { market, ledger } = this.#parts;
    const noted = ledger.note(market.id, MARKET_NOTES.anew);
    if (noted === undefined) return;
    this.#looking = this.#look(BigInt(noted)).finally(() => {
      this.#looking = undefined;
      this.#nextLook = number + this.#pause;
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_BLOCKS);
    });
  }

  /** Whatever cannot be asked speaks against it. */
  async #look(mined: bigint): Promise<void> {
    const { market, ledger, tell, resume } = this.#parts;
    const { id: chain } = market;
    const { signal } = this.#stop;
    try {
      if ((await market.transactionCount()) <= mined) return;
      const asked = ledger.writtenOff(chain, "chain-anew", MOST_ASKED);
      const found = await Promise.all(asked.map((guid) => market.bounty(guid, signal)));
      if (signal.aborted || found.every((bounty) => bounty === null)) return;
    } catch {
      return;
    }
    let bounties = 0;
    ledger.together(() => {
      for (const note of [MARKET_NOTES.anew, MARKET_NOTES.before]) ledger.setNote(chain, note, undefined);
      bounties = ledger.takeBack(chain, "chain-anew");
    });
    tell("market.came-back", { market: chain, bounties });
    resume();
  }
}
