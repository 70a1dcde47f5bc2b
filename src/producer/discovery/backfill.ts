import { type BlockNumber, block } from "../../domain/chain.ts";
import { describeError } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Marketplace } from "../../market/onchain/port/marketplace.ts";
import type { BountiesInWork } from "../answering/bounties-in-work.ts";
import type { Deprecation } from "../../market/onchain/chain/deprecation.ts";
import { MARKET_NOTES } from "../../market/onchain/chain/market-notes.ts";
import { inTimeToPost } from "../../market/onchain/settlement/record/duty.ts";
import type { Tell } from "../events/events.ts";
import type { Limiter } from "../funds/limiter.ts";
import { type BountyLook, type BountyPages, lookThrough } from "./bounty-list.ts";

interface BackfillParts {
  readonly market: Marketplace;
  readonly ledger: Ledger;
  readonly inWork: Pick<BountiesInWork, "has" | "take" | "full" | "hasNoAddress">;
  readonly deprecation: Pick<Deprecation, "active" | "posted">;
  readonly limiter: Pick<Limiter, "paused">;
  readonly tell: Tell;
}

/** A gateway can fall silent for one kind of event and go on with the others, so the list is looked at anyway. */
const EVERY_BLOCKS = 5;

/** What is remembered of a bounty at the end of the list, so that the next look need not ask for it again. */
interface Remembered {
  /** It is open for assertion before this block; an upper bound while it could not be asked for. */
  readonly closes: number;
  readonly examined: boolean;
  /** How often it could not be asked for, and the block before which it is not asked for again. */
  readonly failures?: number;
  readonly again?: number;
}

/** Blocks between questions that fail double up to this. */
const LONGEST_REST = 16;

/**
 * Finds the bounties whose events never came and hands them to what answers bounties.
 *
 * Looks at the end of the marketplace's list: at the start, after each `connected`, after a gap in the block numbers, and
 * every few blocks. One look at a time; what calls for another meanwhile is done after it. A look that met trouble is
 * tried again at the next block, and told of once. How far the list was looked through is noted in the ledger; which
 * bounties are known, in work or closed is decided anew for each.
 */
export class Backfill {
  readonly #parts: BackfillParts;
  readonly #stop = new AbortController();
  readonly #listening = new DisposableStack();
  #remembered: ReadonlyMap<Guid, Remembered> = new Map();
  #looking: Promise<void> | undefined;
  #called = false;
  #heard: number;
  #due = 0;
  #troubled = false;
  #idle = false;

  constructor(parts: BackfillParts) {
    this.#parts = parts;
    this.#heard = parts.market.head();
  }

  begin(): void {
    const { market } = this.#parts;
    this.#listening.defer(market.on("connected", () => this.#look()));
    this.#listening.defer(market.on("block", ({ number }) => this.#heardBlock(number)));
    this.#look();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#listening.dispose();
    await this.#looking;
  }

  #heardBlock(number: number): void {
    const gap = number !== this.#heard + 1;
    this.#heard = number;
    if (gap || number >= this.#due) this.#look();
  }

  #look(): void {
    this.#called = true;
    this.#looking ??= this.#work().finally(() => {
      this.#looking = undefined;
    });
  }

  async #work(): Promise<void> {
    const { market, tell } = this.#parts;
    while (this.#called && !this.#stop.signal.aborted) {
      this.#called = false;
      const trouble = await this.#lookOnce().catch(describeError);
      if (this.#stop.signal.aborted) return;
      this.#due = market.head() + (trouble === undefined ? EVERY_BLOCKS : 1);
      if (trouble !== undefined && !this.#troubled) {
        tell("backfill.delayed", { market: market.id, reason: trouble });
      }
      this.#troubled = trouble !== undefined;
    }
  }

  /** Resolves to what went wrong with bounties that could not be asked for, if anything. */
  async #lookOnce(): Promise<string | undefined> {
    const { market, ledger, deprecation, limiter } = this.#parts;
    const { signal } = this.#stop;
    // What was left alone while the registry was deprecated, or after too many losses, may still be open.
    const idle = deprecation.active() || limiter.paused() !== undefined;
    if (this.#idle && !idle) this.#remembered = new Map();
    this.#idle = idle;
    // Nothing is called closed on the word of the event stream.
    const head = await market.freshHead(signal);
    const { maxDuration } = market.parameters();
    const oldest = head + 1 - maxDuration;
    const remembered = new Map<Guid, Remembered>();
    let trouble: string | undefined;
    const look = async (guid: Guid): Promise<BountyLook> => {
      let known = this.#known(guid);
      const open = known === undefined || inTimeToPost(known.closes, head);
      if (open && !known?.examined && head >= (known?.again ?? 0)) {
        try {
          known = (await this.#examine(guid, head)) ?? known;
        } catch (error) {
          trouble = describeError(error);
          const failures = (known?.failures ?? 0) + 1;
          const again = head + Math.min(2 ** failures, LONGEST_REST);
          known = { closes: known?.closes ?? head + maxDuration, examined: false, failures, again };
        }
      }
      // What is listed by now was posted by now.
      known ??= { closes: head + maxDuration, examined: false };
      remembered.set(guid, known);
      // Posted in the block before `closes` at the latest, and with it all that was posted before.
      if (known.closes - 1 <= oldest) return "long-closed";
      return known.examined || !inTimeToPost(known.closes, head) ? "examined" : "unsure";
    };
    const pages: BountyPages = {
      size: market.bountiesPerPage,
      read: (page) => market.bountyPage(page, signal),
    };
    const cursor = Number(ledger.note(market.id, MARKET_NOTES.examined) ?? 0);
    const moved = await lookThrough(pages, cursor, look);
    signal.throwIfAborted();
    this.#remembered = remembered;
    if (moved !== cursor) ledger.setNote(market.id, MARKET_NOTES.examined, moved.toString());
    return trouble;
  }

  #known(guid: Guid): Remembered | undefined {
    const remembered = this.#remembered.get(guid);
    if (remembered?.examined) return remembered;
    const { market, ledger } = this.#parts;
    const record = ledger.find({ market: market.id, guid });
    return record === undefined ? remembered : { closes: record.bounty.expiration, examined: true };
  }

  /**
   * Undefined while it is in doubt: in work and not written down yet, or not known to the node that was asked; or while
   * there is no room for it.
   */
  async #examine(guid: Guid, head: BlockNumber): Promise<Remembered | undefined> {
    const { market, inWork, deprecation, tell } = this.#parts;
    if (inWork.hasNoAddress(guid)) return { closes: head + market.parameters().maxDuration, examined: true };
    if (inWork.has(guid) || inWork.full()) return undefined;
    const bounty = await market.bounty(guid, this.#stop.signal);
    if (bounty === null) return undefined;
    const { expiration } = bounty;
    deprecation.posted(guid, block(expiration - market.parameters().maxDuration));
    if (inTimeToPost(expiration, head)) {
      // Its event may have come while we asked.
      if (inWork.has(guid) || inWork.full()) return undefined;
      if (inWork.take(bounty)) tell("bounty.backfilled", { guid, blocksLeft: expiration - head });
    }
    return { closes: expiration, examined: true };
  }
}
