import { setImmediate as nextTurn } from "node:timers/promises";
import { RecentKeys } from "../../../async/recent-keys.ts";
import { type Address, sameAddress } from "../../../domain/address.ts";
import type { Guid } from "../../../domain/guid.ts";
import { isUnknownBounty, MarketFault } from "../http/answer.ts";
import type { Ask } from "../http/ask.ts";
import type { Lane } from "../http/lane.ts";
import { LIMITS } from "../http/limits.ts";
import type { PostedAssertion } from "../port/marketplace.ts";
import { ROWS_READ, ROWS_SEARCHED, readByIndex } from "./by-index.ts";
import { Assertion, List, readAs } from "./schemas.ts";

/** Rows of a list that are read before something else may have its turn. */
const ROWS_AT_ONCE = 64;
/** How many entries the gateway may have left out of a list before we no longer find ours. */
const MAX_SKIPPED = 16;
/** The contract takes one of ours; how many a list may show before the rest is taken as it stands. */
const MAX_OURS = 4;
/** Bounties whose list is known to be too large. */
const REMEMBERED_LISTS = 1_000;

type AssertionAsk = Pick<Ask, "signal"> & { readonly lane?: Lane };
type Get = (
  path: string,
  what: string,
  options: Pick<Ask, "signal" | "limits" | "manner"> & { readonly lane?: Lane },
) => Promise<unknown>;

/**
 * What is asserted on a bounty, by the list of all, and row by row where the list is more than is read of one answer:
 *
 *     list ──read──► its rows
 *       └──too large, too late, nonsense──► by index ──► all rows, or ours; where neither is to be had, the list's fault
 *
 * A list that was too large stays so; it is not asked for again. Throws MarketFault.
 */
export class AssertionReads {
  readonly #get: Get;
  readonly #account: Address;
  readonly #tooLarge = new RecentKeys(REMEMBERED_LISTS);

  constructor(get: Get, account: Address) {
    this.#get = get;
    this.#account = account;
  }

  /**
   * The index of an assertion is its position, unless the gateway left an entry out. Ours is confirmed by asking for it
   * alone; a malformed one is passed over without moving the others. What is no list says nothing about ours.
   */
  async all(guid: Guid, options: AssertionAsk = {}): Promise<readonly PostedAssertion[]> {
    return this.#listed(guid, options, (fault) =>
      readByIndex({ row: (index) => this.at(guid, index, options), most: ROWS_READ, fault }),
    );
  }

  /**
   * Those of our account; the contract takes one. `likely` is where it should stand: that row is asked for beside the
   * list, and the one that shows ours first is believed, so that neither strangers' rows nor a slow list can hide it.
   */
  async ours(
    guid: Guid,
    options: AssertionAsk & { readonly likely?: number | undefined } = {},
  ): Promise<readonly PostedAssertion[]> {
    const { likely, ...asked } = options;
    if (likely === undefined) return this.#search(guid, asked);
    const over = new AbortController();
    const signal =
      options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
    const there = this.at(guid, likely, { ...asked, signal }).then(
      (row) => (row !== undefined && this.#isOurs(row) ? [row] : undefined),
      () => undefined,
    );
    const searched = this.#search(guid, { ...asked, signal });
    searched.catch(() => undefined);
    try {
      const early = await Promise.race([
        there,
        searched.then(
          (rows) => (rows.length > 0 ? rows : undefined),
          () => undefined,
        ),
      ]);
      return early ?? (await there) ?? (await searched);
    } finally {
      over.abort();
    }
  }

  /** One assertion by its index; undefined when there is none. */
  async at(guid: Guid, index: number, options: AssertionAsk = {}): Promise<PostedAssertion | undefined> {
    const what = `assertion ${index} of ${guid}`;
    const path = `/bounties/${guid}/assertions/${index}`;
    const asked = { ...options, limits: LIMITS.assertion, manner: "list" } as const;
    const answer = await this.#get(path, what, asked).catch((error: unknown) => {
      if (error instanceof MarketFault && error.status === 404) return undefined;
      throw error;
    });
    return answer === undefined ? undefined : { guid, index, ...readAs(Assertion, what, answer) };
  }

  async #search(guid: Guid, options: AssertionAsk): Promise<readonly PostedAssertion[]> {
    const wanted = (row: PostedAssertion): boolean => this.#isOurs(row);
    const rows = await this.#listed(guid, options, (fault) =>
      readByIndex({ row: (index) => this.at(guid, index, options), wanted, most: ROWS_SEARCHED, fault }),
    );
    return rows.filter(wanted);
  }

  async #listed(
    guid: Guid,
    options: AssertionAsk,
    byIndex: (fault: MarketFault) => Promise<readonly PostedAssertion[]>,
  ): Promise<readonly PostedAssertion[]> {
    if (this.#tooLarge.has(guid)) return byIndex(tooLarge(guid));
    let list: unknown;
    try {
      list = await this.#list(guid, options);
    } catch (error) {
      if (isUnknownBounty(error)) return [];
      if (!(error instanceof MarketFault) || !mayBeItsSize(error)) throw error;
      if (error.code === "MARKET_ANSWER_TOO_LARGE") this.#tooLarge.add(guid);
      return byIndex(error);
    }
    return this.#rows(guid, list, options);
  }

  #list(guid: Guid, options: AssertionAsk): Promise<unknown> {
    const asked = { ...options, limits: LIMITS.assertions, manner: "list" } as const;
    return this.#get(`/bounties/${guid}/assertions`, `the assertions of ${guid}`, asked);
  }

  async #rows(guid: Guid, list: unknown, options: AssertionAsk): Promise<readonly PostedAssertion[]> {
    const entries: PostedAssertion[] = [];
    for (const [index, entry] of readAs(List, `the assertions of ${guid}`, list).entries()) {
      if (index % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await nextTurn();
      const { data } = Assertion.safeParse(entry);
      if (data !== undefined) entries.push({ guid, index, ...data });
    }
    const ours = entries.filter((entry) => this.#isOurs(entry)).slice(0, MAX_OURS);
    const confirmed = await Promise.all(ours.map((entry) => this.#confirmed(entry, options)));
    for (const [position, entry] of ours.entries()) entries[entries.indexOf(entry)] = confirmed[position]!;
    return entries;
  }

  async #confirmed(entry: PostedAssertion, options: AssertionAsk): Promise<PostedAssertion> {
    for (let index = entry.index; index <= entry.index + MAX_SKIPPED; index++) {
      const alone = await this.at(entry.guid, index, options);
      if (alone === undefined) break;
      if (sameAddress(alone.author, entry.author) && alone.commitment === entry.commitment) return alone;
    }
    return entry;
  }

  #isOurs({ author }: Pick<PostedAssertion, "author">): boolean {
    return sameAddress(author, this.#account);
  }
}

/** What a gateway that is well says, or does not say, when a list is more than it or we can carry. */
const mayBeItsSize = ({ code, status }: MarketFault): boolean =>
  ["MARKET_ANSWER_TOO_LARGE", "MARKET_ANSWER_UNREADABLE", "MARKET_TIMEOUT", "MARKET_FAILED"].includes(code) ||
  status === 413;

const tooLarge = (guid: Guid): MarketFault =>
  new MarketFault(
    "MARKET_ANSWER_TOO_LARGE",
    `The list of the assertions of ${guid} is larger than is read, and they cannot be had one by one.`,
    { reached: "yes", retryable: false },
  );
