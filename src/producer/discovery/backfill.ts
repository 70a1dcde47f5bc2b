import { describeError } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import type { Clock } from "../../domain/instant.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { type BountyList, type BountyLook, type BountyPages, lookThrough } from "../../market/bounty-list.ts";
import type { Moment } from "../../market/moment.ts";
import type { Market } from "../../market/port.ts";
import type { BountiesInWork } from "../answering/bounties-in-work.ts";
import type { Tell } from "../events/events.ts";
import type { Limiter } from "../funds/limiter.ts";

interface BackfillParts {
  readonly market: Pick<Market, "id" | "on" | "refuses" | "answerTimes" | "condition">;
  readonly list: BountyList;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly inWork: Pick<BountiesInWork, "has" | "take" | "full" | "hasNoAddress">;
  readonly limiter: Pick<Limiter, "paused">;
  readonly tell: Tell;
}

/** A gateway can fall silent for one kind of event and go on with the others, so the list is looked at anyway. In steps of the list. */
const EVERY_STEPS = 5;
/** How many of the marketplace's bounties, counted from the first one posted, need no look any more. */
const EXAMINED = "examined";

/** What is remembered of a bounty at the end of the list, so that the next look need not ask for it again. */
interface Remembered {
  /** No answer counts from this moment on; an upper bound while it could not be asked for. */
  readonly closes: Moment;
  readonly examined: boolean;
  /** How often it could not be asked for, and the moment before which it is not asked for again. */
  readonly failures?: number;
  readonly again?: Moment;
}

/** Steps of the list between questions that fail double up to this. */
const LONGEST_REST = 16;

/**
 * Finds the bounties whose news never came and hands them to what answers bounties.
 *
 * Looks at the end of the marketplace's list: at the start, whenever bounties may have been missed, and every few steps. One
 * look at a time; what calls for another meanwhile is done after it. A look that met trouble is tried again at the next
 * step, and told of once. How far the list was looked through is noted in the ledger; which
 * bounties are known, in work or closed is decided anew for each.
 */
export class Backfill {
  readonly #parts: BackfillParts;
  readonly #stop = new AbortController();
  readonly #listening = new DisposableStack();
  #remembered: ReadonlyMap<Guid, Remembered> = new Map();
  #looking: Promise<void> | undefined;
  #isLooking = false;
  #called = false;
  /** The newest moment that we were told of: no single answer puts off the next look. */
  #now: Moment = 0;
  #due: Moment = 0;
  #troubled = false;
  #idle = false;

  constructor(parts: BackfillParts) {
    this.#parts = parts;
  }

  begin(): void {
    const { market } = this.#parts;
    this.#now = market.condition().moment ?? 0;
    this.#listening.defer(market.on("missed", () => this.#look()));
    this.#listening.defer(
      market.on("moved", ({ moment }) => {
        this.#now = moment;
        if (moment >= this.#due) this.#look();
      }),
    );
    this.#look();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#listening.dispose();
    await this.#looking;
  }

  #look(): void {
    this.#called = true;
    if (!this.#isLooking) this.#looking = this.#work();
  }

  async #work(): Promise<void> {
    const { market, list, tell } = this.#parts;
    this.#isLooking = true;
    // What calls for a look at the same moment is one call.
    await Promise.resolve();
    while (this.#called && !this.#stop.signal.aborted) {
      this.#called = false;
      const trouble = await this.#lookOnce().catch(describeError);
      if (this.#stop.signal.aborted) break;
      this.#due = this.#now + list.step * (trouble === undefined ? EVERY_STEPS : 1);
      if (trouble !== undefined && !this.#troubled) {
        tell("backfill.delayed", { market: market.id, reason: trouble });
      }
      this.#troubled = trouble !== undefined;
    }
    // In the same turn in which no call was left: a later one begins anew.
    this.#isLooking = false;
  }

  /** Resolves to what went wrong with bounties that could not be asked for, if anything. */
  async #lookOnce(): Promise<string | undefined> {
    const { market, list, ledger, limiter } = this.#parts;
    const { signal } = this.#stop;
    // What was left alone while the marketplace took no more, or after too many losses, may still be open.
    const idle = market.refuses() !== undefined || limiter.paused() !== undefined;
    if (this.#idle && !idle) this.#remembered = new Map();
    this.#idle = idle;
    const now = await list.now(signal);
    const longest = list.longest();
    const oldest = now + list.step - longest;
    const remembered = new Map<Guid, Remembered>();
    let trouble: string | undefined;
    const look = async (guid: Guid): Promise<BountyLook> => {
      let known = this.#known(guid);
      const open = known === undefined || list.isOpen(known.closes, now);
      if (open && !known?.examined && now >= (known?.again ?? 0)) {
        try {
          known = (await this.#examine(guid, now)) ?? known;
        } catch (error) {
          trouble = describeError(error);
          const failures = (known?.failures ?? 0) + 1;
          const again = now + list.step * Math.min(2 ** failures, LONGEST_REST);
          known = { closes: known?.closes ?? now + longest, examined: false, failures, again };
        }
      }
      // What is listed by now was posted by now.
      known ??= { closes: now + longest, examined: false };
      remembered.set(guid, known);
      // Posted a step before `closes` at the latest, and with it all that was posted before.
      if (known.closes - list.step <= oldest) return "long-closed";
      return known.examined || !list.isOpen(known.closes, now) ? "examined" : "unsure";
    };
    const pages: BountyPages = { size: list.pageSize, read: (page) => list.page(page, signal) };
    const cursor = Number(ledger.note(market.id, EXAMINED) ?? 0);
    const moved = await lookThrough(pages, cursor, look);
    signal.throwIfAborted();
    this.#remembered = remembered;
    if (moved !== cursor) ledger.setNote(market.id, EXAMINED, moved.toString());
    return trouble;
  }

  #known(guid: Guid): Remembered | undefined {
    const remembered = this.#remembered.get(guid);
    if (remembered?.examined) return remembered;
    const { market, list, ledger } = this.#parts;
    const record = ledger.find({ market: market.id, guid });
    return record === undefined ? remembered : { closes: list.closes(record.bounty), examined: true };
  }

  /**
   * Undefined while it is in doubt: in work and not written down yet, or not known to the node that was asked; or while
   * there is no room for it.
   */
  async #examine(guid: Guid, now: Moment): Promise<Remembered | undefined> {
    const { market, list, clock, inWork, tell } = this.#parts;
    if (inWork.hasNoAddress(guid)) return { closes: now + list.longest(), examined: true };
    if (inWork.has(guid) || inWork.full()) return undefined;
    const bounty = await list.bounty(guid, this.#stop.signal);
    if (bounty === null) return undefined;
    const closes = list.closes(bounty);
    if (list.isOpen(closes, now)) {
      // Its event may have come while we asked.
      if (inWork.has(guid) || inWork.full()) return undefined;
      const answerWithinMs = Math.round(market.answerTimes(bounty).last - clock.now());
      if (inWork.take(bounty)) tell("bounty.backfilled", { guid, answerWithinMs });
    }
    return { closes, examined: true };
  }
}
