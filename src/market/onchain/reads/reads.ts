import type { z } from "zod";
import type { Address } from "../../../domain/address.ts";
import type { Bounty } from "../../../domain/bounty.ts";
import type { ChainName } from "../../../domain/chain.ts";
import type { Guid } from "../../../domain/guid.ts";
import type { Nct } from "../../../domain/nct.ts";
import { isUnknownBounty, MarketFault } from "../http/answer.ts";
import type { Ask, Asker } from "../http/ask.ts";
import type { Gateway } from "../http/http.ts";
import type { Lane } from "../http/lane.ts";
import { LIMITS } from "../http/limits.ts";
import type { BlockNumber } from "../port/block.ts";
import type { ArbiterVote } from "../port/marketplace.ts";
import type { MarketParameters } from "../port/parameters.ts";
import { AssertionReads } from "./assertion-reads.ts";
import {
  Artifacts,
  Balance,
  bountyOf,
  Guids,
  Nonce,
  Parameters,
  PoolNonces,
  Quorum,
  readAs,
  Status,
  Uri,
  Votes,
} from "./schemas.ts";

/** The gateway takes 25, 50 or 75. */
export const BOUNTIES_PER_PAGE = 75;

type Options = Pick<
  Ask,
  | "query"
  | "signal"
  | "repeatable"
  | "hasty404"
  | "timeoutMs"
  | "hedgeMs"
  | "patienceMs"
  | "limits"
  | "onLeftOut"
  | "manner"
> & { readonly lane?: Lane };

/**
 * Nothing is signed before the nonces are known, reveals included, and everybody waits for them: an answer that does not
 * come soon is asked for once more, and one that is slow is waited for all the same.
 */
const NONCES: Options = { lane: "reveal", hedgeMs: 2_500, patienceMs: 10_000 };
/** What a reveal waits for. */
const REVEAL_HEDGE_MS = 3_000;

type ReadGateway = Asker & Pick<Gateway, "head">;

/** Everything that is only asked. Throws MarketFault. */
export class Reads {
  readonly #gateway: ReadGateway;
  readonly #chain: ChainName;
  readonly #bounty: ReturnType<typeof bountyOf>;
  readonly #account: Address;
  readonly #onClaimsRefused: (guid: Guid) => void;
  /** What is asserted on a bounty. */
  readonly asserted: AssertionReads;

  /** `onClaimsRefused` hears of each answer about a bounty whose metadata was more than is taken, and was left out. */
  constructor(
    gateway: ReadGateway,
    chain: ChainName,
    account: Address,
    onClaimsRefused: (guid: Guid) => void = () => {},
  ) {
    this.#onClaimsRefused = onClaimsRefused;
    this.#gateway = gateway;
    this.#chain = chain;
    this.#bounty = bountyOf(chain);
    this.#account = account;
    this.asserted = new AssertionReads((path, what, options) => this.#get(path, what, options), account);
  }

  parameters(options: Options = {}): Promise<MarketParameters> {
    return this.#read(Parameters, "the parameters", "/bounties/parameters", options);
  }

  /**
   * The newest block of our chain. Without the event stream nothing else says that a reveal is due, so it must not wait
   * behind the artifacts of strangers. Throws a retryable MarketFault when the gateway does not reach the
   * chain.
   */
  async blockNumber(options: Options = {}): Promise<BlockNumber> {
    const status = await this.#read(Status, "the status", "/status", { lane: "reveal", ...options });
    const block = status[this.#chain]?.block;
    if (block !== undefined) return block;
    const sentence = `The gateway does not reach the ${this.#chain} chain.`;
    throw new MarketFault("MARKET_CHAIN_UNREACHABLE", sentence, { reached: "yes", retryable: true });
  }

  async bounty(guid: Guid, signal?: AbortSignal): Promise<Bounty | null> {
    const what = `bounty ${guid}`;
    const onLeftOut = () => this.#onClaimsRefused(guid);
    const options = { signal, limits: LIMITS.bounty, onLeftOut };
    const answer = await this.#get(`/bounties/${guid}`, what, options).catch((error: unknown) => {
      if (isUnknownBounty(error)) return null;
      throw error;
    });
    if (answer === null) return null;
    const bounty = readAs(this.#bounty, what, answer);
    if (bounty.guid === guid) return bounty;
    const sentence = `Asked for ${what}, the marketplace tells of bounty ${bounty.guid}.`;
    throw new MarketFault("MARKET_ANSWER_UNREADABLE", sentence, { reached: "yes", retryable: true });
  }

  async quorumReached(guid: Guid, signal?: AbortSignal): Promise<boolean> {
    const what = `the quorum on ${guid}`;
    const options = { signal, limits: LIMITS.terms };
    const answer = await this.#get(`/bounties/${guid}`, what, options).catch((error: unknown) => {
      if (isUnknownBounty(error)) return { quorum_reached: false };
      throw error;
    });
    return readAs(Quorum, what, answer).quorum_reached;
  }

  bountyPage(page: number, signal?: AbortSignal): Promise<readonly Guid[]> {
    const query = { page: String(page), count: String(BOUNTIES_PER_PAGE) };
    return this.#read(Guids, `page ${page} of the bounties`, "/bounties", { query, signal });
  }

  listArtifacts(uri: string, signal?: AbortSignal): Promise<readonly { name: string; hash: string }[]> {
    const path = `/artifacts/${encodeURIComponent(uri)}`;
    return this.#read(Artifacts, `the artifacts of ${uri}`, path, {
      signal,
      hasty404: true,
      limits: LIMITS.listing,
    });
  }

  artifactHead(uri: string, index: number, bytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    const what = `artifact ${index} of ${uri}`;
    const path = `/artifacts/${encodeURIComponent(uri)}/${index}`;
    return this.#gateway.head({ what, method: "GET", path, lane: "read", hasty404: true, signal }, bytes);
  }

  votes(guid: Guid, signal?: AbortSignal): Promise<readonly ArbiterVote[]> {
    return this.#read(Votes, `the votes on ${guid}`, `/bounties/${guid}/votes`, {
      signal,
      limits: LIMITS.votes,
    });
  }

  balance(signal?: AbortSignal): Promise<Nct> {
    return this.#read(Balance, "our balance", `/balances/${this.#account}/nct`, { signal });
  }

  /** The transaction count, pending ones included. */
  pendingCount(): Promise<bigint> {
    return this.#read(Nonce, "our nonce", "/nonce", NONCES);
  }

  /** The transaction count without the pending ones. */
  minedCount(): Promise<bigint> {
    return this.#read(Nonce, "our mined nonce", "/nonce", { ...NONCES, query: { ignore_pending: "1" } });
  }

  /** The nonces of ours in the node's pool. */
  pool(): Promise<readonly bigint[]> {
    return this.#read(PoolNonces, "our pending nonces", "/pending", NONCES);
  }

  async publishMetadata(metadata: readonly unknown[], signal?: AbortSignal): Promise<string> {
    const what = "publishing the metadata";
    const answer = await this.#gateway.ask({
      what,
      method: "POST",
      path: "/bounties/metadata",
      body: metadata,
      // A reveal is waiting for it; the store is by content, so twice is once.
      lane: "reveal",
      repeatable: true,
      limits: LIMITS.small,
      signal,
    });
    return readAs(Uri, what, answer);
  }

  async #read<T>(schema: z.ZodType<T>, what: string, path: string, options: Options = {}): Promise<T> {
    return readAs(schema, what, await this.#get(path, what, options));
  }

  #get(path: string, what: string, options: Options): Promise<unknown> {
    return this.#gateway.ask({
      lane: "read",
      limits: LIMITS.small,
      ...(options.lane === "reveal" ? { hedgeMs: REVEAL_HEDGE_MS } : {}),
      ...options,
      what,
      method: "GET",
      path,
    });
  }
}
