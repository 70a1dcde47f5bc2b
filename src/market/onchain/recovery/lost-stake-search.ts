import { setTimeout as sleep } from "node:timers/promises";
import { RecentKeys } from "../../../async/recent-keys.ts";
import type { Bounty } from "../../../domain/bounty.ts";
import { describeError } from "../../../domain/fault.ts";
import type { Guid } from "../../../domain/guid.ts";
import { type BountyState, UNPROMISED_STATES } from "../../../domain/lifecycle.ts";
import type { Ledger } from "../../../ledger/ledger.ts";
import type { Recovered } from "../../recovery.ts";
import type { RecoverEvents, TellRecover } from "../../recovery-events.ts";
import { lastBefore, MARKET_NOTES } from "../chain/market-notes.ts";
import type { Marketplace, PostedBounty } from "../port/marketplace.ts";
import type { RecoveryParts } from "./recover-bounty.ts";
import { searchBounties } from "./search.ts";

/** Of those that could not be read, so many are told of once. */
const BOUNTIES_TOLD = 10_000;

interface LostStakeSearchParts {
  readonly recovery: Omit<RecoveryParts, "leave">;
  /** Takes over the stakes that were found. */
  readonly duties: { take(guid: Guid, heardAt: number): Promise<void> };
  /** Resolves when those who wait for the first look have waited long enough. */
  readonly patience?: (signal: AbortSignal) => Promise<unknown>;
  /** Before a gateway that did not say how many transactions there are is asked again. */
  readonly pause?: (signal: AbortSignal) => Promise<unknown>;
}

/** What waits for the look. */
export interface Waiting {
  /** Whether a bounty is being answered right now. */
  readonly has: (guid: Guid) => boolean;
  /** Takes up a bounty whose event came. */
  readonly hear: (notice: PostedBounty) => void;
  /** Called once: bounties that were posted after the start may be answered. */
  readonly release: () => void;
  /** Called once, after `release`: all others may be, too. */
  readonly open: () => void;
}

const PATIENCE_MS = 10_000;
const AGAIN_BLOCKS = 5;
/** Blocks by which the newest block that we were told at the start may be behind the one in which we asserted last. */
const MAY_LAG = 3;
/** A gateway that does not say how many transactions there are is asked again. */
const COUNT_ATTEMPTS = 6;
const COUNT_PAUSE_MS = 500;
const AT_START =
  "The account has sent transactions that the ledger does not know of: was a ledger lost, or an old copy of one put back?";
const OVER =
  "Nothing from before the start can be revealed any more, and not all of it was looked at: run `microengine recover`.";
const REST =
  "What could not be rebuilt, and what can only be settled, is left to `microengine recover`: stop the producer, run it, start again.";

/** Announced bounties that are kept meanwhile. */
const MAX_KEPT = 1_000;

/**
 * Looks, at the start, for stakes on the market that the ledger does not know of, because it was lost or is an old copy, and
 * hands them to the duties:
 *
 *     every transaction of the account is known to the ledger, or was looked into──────► no look, nothing noted
 *        └─"begun" noted─► looking ──list read to its end──► open ──nothing is unread────► "done" noted, with the count
 *                           ▲   │ 10 s at most                 └──5 blocks──► looking again, at what is unread
 *                           │   └─► released
 *                           └──5 blocks── list not read
 *
 * Looked at are the bounties whose reveal can still be mined; what can only be settled has no deadline, and `recover`
 * collects it. Until it is open nothing is answered that was posted before the start, because it may carry an answer of
 * ours. What was posted since cannot: it waits for the first look only so that the stakes found count in the limits, and
 * ten seconds at most, however busy the market or troubled the gateway is. Whatever was heard meanwhile is kept, and the
 * list of bounties is looked at when it is open.
 *
 * - An assertion that cannot be rebuilt is told of (`recover.not-rebuilt`) and its bounty written down as abandoned, so
 *   that it is never answered again; `recover` begins such bounties anew.
 * - A bounty that the marketplace would not tell about is left alone until it does.
 * - "begun" stands in the ledger from before anything is answered, "done" from when all was looked at: a start after a
 *   crash, a stop or a failing gateway looks again, and finds those known that were adopted before. Both name the account,
 *   because a producer may have been begun with a wrong keyfile; "done" also says how many transactions were sent by then, so
 *   that what the owner of the wallet sent himself is looked into once. The account is asked about at each start, one request:
 *   a wrong answer to it shall not count for ever. A gateway that gives no answer is asked six times, meanwhile with "begun"
 *   noted, and then for the bounties.
 * - When no bounty that was posted before the start can be revealed any more, the look is over, whatever was unread.
 */
export class LostStakeSearch {
  readonly #parts: LostStakeSearchParts & { readonly sure: boolean };
  readonly #startedAt: number;
  readonly #done = new Map<Guid, Recovered>();
  readonly #looking = new Set<Guid>();
  readonly #unread = new Set<Guid>();
  readonly #answered = new Set<Guid>();
  readonly #told = new RecentKeys(BOUNTIES_TOLD);
  #kept: PostedBounty[] = [];
  #state: "shut" | "released" | "open" = "shut";

  constructor(parts: LostStakeSearchParts & { readonly sure: boolean }) {
    this.#parts = parts;
    this.#startedAt = parts.recovery.market.head();
  }

  /** Keeps an announced bounty to itself that may not be answered yet. */
  keeps(notice: PostedBounty): boolean {
    const { guid, postedIn } = notice;
    if (this.#state === "open") return false;
    const since = this.#startedAt + MAY_LAG;
    const isNew = postedIn !== undefined && postedIn > since && !this.#looking.has(guid);
    if (this.#state === "released" && isNew) {
      this.#answered.add(guid);
      return false;
    }
    // What is beyond is found in the marketplace's list once it may be answered.
    if (this.#kept.length < MAX_KEPT) this.#kept.push(notice);
    return true;
  }

  /** Whether a bounty may carry an answer of ours, for all we know. */
  leaves(guid: Guid): boolean {
    return this.#unread.has(guid);
  }

  /** Looks until all was looked at, or there is nothing to be found any more. Never rejects. */
  async run(waiting: Waiting, signal: AbortSignal): Promise<void> {
    const { recovery, patience = defaultPatience, pause = defaultPause } = this.#parts;
    const { market, ledger } = recovery;
    const counting = market.transactionCount().catch(() => undefined);
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    void patience(both).then(
      () => both.aborted || this.#release(waiting),
      () => undefined,
    );
    try {
      if (!this.#parts.sure && !(await hasSentMore(recovery, pause, signal))) {
        ledger.setNote(market.id, MARKET_NOTES.lostStakes, undefined);
        over.abort();
        this.#open(waiting);
        return;
      }
      this.#tell("recover.at-start", { market: market.id, account: market.account, hint: AT_START });
      let whole = await this.#pass(waiting, signal);
      for (; !whole && !this.#isOver(); whole = await this.#pass(waiting, signal)) {
        await blocksLater(market, AGAIN_BLOCKS, signal);
        signal.throwIfAborted();
      }
      signal.throwIfAborted();
      noteDone(market, ledger, await counting);
      if (whole) this.#conclude();
      else this.#cutShort(new Error(OVER));
    } catch (error) {
      if (!signal.aborted) this.#cutShort(error);
    }
    over.abort();
    if (!signal.aborted) this.#open(waiting);
  }

  /** Whether everything was looked at. */
  async #pass(waiting: Waiting, signal: AbortSignal): Promise<boolean> {
    const { recovery, duties } = this.#parts;
    const { market, ledger, clock } = recovery;
    const whole = await searchBounties(
      {
        recovery: { ...recovery, tell: this.#tellOnce(signal), leave: (bounty) => leave(bounty, ledger) },
        blocks: market.parameters().revealWindow,
        passes: (guid) => this.#passes(guid, waiting),
        found: (guid, result) => {
          this.#looking.delete(guid);
          if (result === "unread") this.#unread.add(guid);
          else this.#unread.delete(guid);
          if (result !== "unread") this.#done.set(guid, result);
          if (result === "rebuilt") void duties.take(guid, clock.now());
        },
      },
      signal,
    );
    if (whole && !signal.aborted) this.#open(waiting);
    return whole && this.#unread.size === 0;
  }

  /** What is ours to answer, or was looked at. */
  #passes(guid: Guid, { has }: Waiting): boolean {
    const { market, ledger } = this.#parts.recovery;
    const state = ledger.find({ market: market.id, guid })?.state;
    const ours = has(guid) || this.#answered.has(guid) || PLANNED.includes(state);
    if (ours || this.#done.has(guid) || (this.#state === "open" && !this.#unread.has(guid))) return true;
    this.#looking.add(guid);
    return false;
  }

  #isOver(): boolean {
    const { market } = this.#parts.recovery;
    const { maxDuration, revealWindow } = market.parameters();
    return market.head() >= this.#startedAt + maxDuration + revealWindow;
  }

  #release(waiting: Waiting): void {
    if (this.#state !== "shut") return;
    this.#state = "released";
    waiting.release();
    this.#hearKept(waiting);
  }

  #open(waiting: Waiting): void {
    if (this.#state === "open") return;
    this.#release(waiting);
    this.#state = "open";
    this.#hearKept(waiting);
    waiting.open();
  }

  #hearKept({ hear }: Waiting): void {
    const kept = this.#kept;
    this.#kept = [];
    for (const notice of kept) hear(notice);
  }

  #conclude(): void {
    const { id: chain } = this.#parts.recovery.market;
    const count = (result: Recovered) => [...this.#done.values()].filter((it) => it === result).length;
    const [rebuilt, known, notRebuilt] = [count("rebuilt"), count("known"), count("not-rebuilt")];
    if (rebuilt + known + notRebuilt === 0) this.#tell("recover.nothing-lost", { market: chain });
    else this.#tell("recover.salvaged", { market: chain, rebuilt, known, notRebuilt, hint: REST });
  }

  #cutShort(error: unknown): void {
    const { id: chain } = this.#parts.recovery.market;
    this.#tell("recover.cut-short", { market: chain, reason: describeError(error) });
  }

  #tell<Name extends keyof RecoverEvents>(event: Name, facts: RecoverEvents[Name]): void {
    this.#parts.recovery.tell(event, facts);
  }

  /** What is looked at again and again is told of once; a stop is no trouble. */
  #tellOnce(signal: AbortSignal): TellRecover {
    return (event, facts) => {
      const about = "guid" in facts ? facts.guid : "";
      if (event === "recover.looked" && this.#state === "open") return;
      if (event === "recover.unread" || event === "recover.cut-short") {
        if (signal.aborted || !this.#told.add(`${event} ${about}`)) return;
      }
      this.#tell(event, facts);
    };
  }
}

/** Undefined when nothing can have been lost. */
export async function openLostStakeSearch(
  parts: LostStakeSearchParts,
  signal: AbortSignal,
): Promise<LostStakeSearch | undefined> {
  const { market, ledger } = parts.recovery;
  const noted = ledger.note(market.id, MARKET_NOTES.lostStakes);
  if (noted === noteOf("begun", market)) return new LostStakeSearch({ ...parts, sure: true });
  const sent = await market.transactionCount().catch(() => undefined);
  signal.throwIfAborted();
  const known = knownCount(market, ledger);
  if (sent !== undefined && sent <= known) return undefined;
  noteSalvage(market, ledger, "begun");
  return new LostStakeSearch({ ...parts, sure: sent !== undefined });
}

/**
 * How many transactions of the account need no look: those that the ledger has signed, and those that were sent when it was
 * looked for the last time. After a write-off only what had been mined before counts.
 */
function knownCount(market: Marketplace, ledger: Ledger): bigint {
  const { id: chain } = market;
  const anew = ledger.note(chain, MARKET_NOTES.anew);
  const signed = ledger.newestSequence(chain, lastBefore(ledger, chain));
  const [word, account, looked] = ledger.note(chain, MARKET_NOTES.lostStakes)?.split(" ") ?? [];
  const counts = [
    anew !== undefined ? BigInt(anew) : signed === undefined ? 0n : signed + 1n,
    // Without a count it is from a ledger that was looked for before anything was promised.
    word === "done" && account === market.account ? BigInt(looked ?? 0) : 0n,
  ];
  return counts.reduce((most, count) => (count > most ? count : most), 0n);
}

/** Whether our account sent more than is known; a gateway that does not say for long may know of something. */
async function hasSentMore(
  { market, ledger }: LostStakeSearchParts["recovery"],
  pause: typeof defaultPause,
  signal: AbortSignal,
): Promise<boolean> {
  for (let attempt = 1; attempt < COUNT_ATTEMPTS; attempt++) {
    await pause(signal);
    const sent = await market.transactionCount().catch(() => undefined);
    signal.throwIfAborted();
    if (sent !== undefined) return sent > knownCount(market, ledger);
  }
  return true;
}

type Noted = "begun" | "done";

const noteOf = (noted: Noted, { account }: Marketplace): string => `${noted} ${account}`;

const noteSalvage = (market: Marketplace, ledger: Ledger, noted: Noted): void =>
  ledger.setNote(market.id, MARKET_NOTES.lostStakes, noteOf(noted, market));

/** Notes that all was looked at, up to so many transactions; a gateway that does not say how many is asked again. */
function noteDone(market: Marketplace, ledger: Ledger, sent: bigint | undefined): void {
  const { id: chain } = market;
  const count = sent === undefined ? "" : ` ${sent}`;
  ledger.together(() => {
    ledger.setNote(chain, MARKET_NOTES.lostStakes, `${noteOf("done", market)}${count}`);
    ledger.setNote(chain, MARKET_NOTES.anew, undefined);
  });
}

const PLANNED: readonly (BountyState | undefined)[] = ["planned", "posting"];

/** Writes down that a bounty has an answer of ours, whatever it says. */
function leave(bounty: Bounty, ledger: Ledger): void {
  ledger.together(() => {
    ledger.see(bounty);
    const state = ledger.find(bounty)?.state;
    if ((UNPROMISED_STATES as readonly (BountyState | undefined)[]).includes(state))
      ledger.abandon(bounty, "asserted-before");
  });
}

const defaultPatience = (signal: AbortSignal): Promise<unknown> =>
  sleep(PATIENCE_MS, undefined, { signal, ref: false });
const defaultPause = (signal: AbortSignal): Promise<unknown> => sleep(COUNT_PAUSE_MS, undefined, { signal });

function blocksLater(market: Marketplace, blocks: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const due = market.head() + blocks;
  const off = market.on("block", ({ number }) => {
    if (number >= due) resolve();
  });
  const leave = () => resolve();
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) resolve();
  return promise.finally(() => {
    off();
    signal.removeEventListener("abort", leave);
  });
}
