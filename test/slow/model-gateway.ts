import type { Address } from "../../src/domain/address.ts";
import { type Guid, parseGuid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { MarketFault } from "../../src/market/onchain/http/answer.ts";
import type { Ask, Asker } from "../../src/market/onchain/http/ask.ts";
import { InFlight } from "../../src/market/onchain/http/in-flight.ts";
import { type Attempt, persist } from "../../src/market/onchain/http/persist.ts";
import { RateLimit, transitFault } from "../../src/market/onchain/http/transit-faults.ts";
import { aPlan, someParameters } from "../fixtures/bounties.ts";
import type { Mined, ModelBounty, ModelChain } from "./model-chain.ts";
import type { ModelTime } from "./model-time.ts";

/** What a gateway is slow at. */
export const ENDPOINTS = [
  "build",
  "post",
  "receipts",
  "nonce",
  "list",
  "single",
  "status",
  "metadata",
  "other",
] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

/** What becomes of a request on its way; `hang`: no answer ever comes. */
export type Loss = "none" | "unsent" | "unanswered" | "hang";

/** How slow an honest gateway is, at this moment. */
export interface Weather {
  /** Milliseconds from asking to the answer. */
  latencyMs(endpoint: Endpoint): number;
  loss(endpoint: Endpoint): Loss;
  /** Whether a list leaves our assertion on this bounty out. */
  hides(bounty: ModelBounty): boolean;
}

export interface GatewayParts {
  readonly chain: ModelChain;
  readonly time: ModelTime;
  readonly weather: Weather;
  readonly account: Address;
  readonly random: () => number;
  /** Called when bytes reach the node. */
  readonly onSubmit: (raw: string) => void;
}

const NODE: Address = "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE" as Address;
/** As long as the gateway itself waits for one receipt. */
const HOLDS_MS = 10_000;
const POLLS_MS = 1_000;
const CONTRACT_UNSIGNED = {
  nonce: 0n,
  chainId: 1337n,
  gas: 50_000_000n,
  gasPrice: 0n,
  value: 0n,
  to: NODE,
  data: "0x00",
};

/** An honest gateway with the delays of the weather, behind the client's own way of asking, in model time. */
export class ModelGateway implements Asker {
  readonly #parts: GatewayParts;
  readonly #inFlight = new InFlight();
  #dead = false;
  /** The most requests that were on their way at once. */
  most = 0;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
  }

  ask(ask: Ask): Promise<unknown> {
    const { time, random } = this.#parts;
    const attempt: Attempt<unknown> = (how) => this.#exchange({ ...ask, ...how });
    return persist(ask, attempt, {
      timers: time,
      pacer: { pass: async () => {}, close: () => {} },
      inFlight: this.#inFlight,
      random,
      attempts: 4,
      backoffMs: 200,
      pauseMs: 1_000,
      patienceMs: 60_000,
      rateLimit: (what) => new RateLimit(what, undefined, systemClock),
    });
  }

  head(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array());
  }

  inFlight(): number {
    return this.#inFlight.count();
  }

  /** The process is gone: what is on its way may arrive, and nobody hears of it. */
  die(): void {
    this.#dead = true;
  }

  #exchange(ask: Ask): Promise<unknown> {
    const { time, weather, random } = this.#parts;
    this.most = Math.max(this.most, this.#inFlight.count());
    if (this.#dead) return new Promise(() => {});
    const endpoint = endpointOf(ask);
    const latencyMs = weather.latencyMs(endpoint);
    const loss = weather.loss(endpoint);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    let gone = false;
    const end = (fault: unknown) => {
      gone = true;
      reject(fault);
    };
    const timeoutMs = ask.timeoutMs ?? 10_000;
    time.after(timeoutMs, () => end(transitFault(ask, undefined, { timedOut: true })));
    ask.signal?.addEventListener("abort", () => end(ask.signal?.reason), { once: true });
    if (ask.signal?.aborted) end(ask.signal.reason);
    if (loss === "hang") return promise.catch((error: unknown) => this.#unlessDead(error));
    const arrivesMs = latencyMs * random();
    const cut = () => end(transitFault(ask, new Error("ECONNRESET"), { timedOut: false }));
    time.after(arrivesMs, () => {
      // A proxy drops what nobody waits for any more before it got through.
      if (gone) return;
      if (loss === "unsent") {
        cut();
        return;
      }
      this.#answer(ask, (answer) =>
        time.after(latencyMs - arrivesMs, () => {
          if (loss === "unanswered") cut();
          else if (answer instanceof MarketFault) end(answer);
          else resolve(answer);
        }),
      );
    });
    return promise.then(
      (value) => (this.#dead ? new Promise(() => {}) : value),
      (error: unknown) => this.#unlessDead(error),
    );
  }

  #unlessDead(error: unknown): Promise<never> {
    return this.#dead ? new Promise(() => {}) : Promise.reject(error);
  }

  #answer(ask: Ask, give: (answer: unknown) => void): void {
    const { transactions = [] } = (ask.body ?? {}) as { readonly transactions?: readonly string[] };
    if (ask.path !== "/transactions") give(this.#prompt(ask));
    else if (ask.method === "POST") give(this.#post(transactions));
    else this.#hold(transactions, give);
  }

  /** What is answered at once: a result, or the fault that it is. */
  #prompt(ask: Ask): unknown {
    const { chain, account, weather } = this.#parts;
    const { path, method } = ask;
    if (path === "/nonce")
      return ask.query?.ignore_pending === undefined ? chain.pendingCount() : chain.minedCount();
    if (path === "/pending") return [...chain.pool()];
    if (path === "/status") return { side: { block: chain.head } };
    if (path === "/bounties/metadata") return "QmMetadata";
    if (path === "/bounties/parameters") return parametersOf(chain);
    const [, id = "", rest = ""] = /^\/bounties\/([0-9a-f-]{36})(.*)$/.exec(path) ?? [];
    const bounty = id === "" ? undefined : chain.bounties.get(parseGuid(id));
    if (bounty === undefined) return notFound(ask);
    if (method === "POST") return { transactions: unsignedFor(rest) };
    if (rest === "/assertions") {
      const rows = listed(bounty, account);
      return weather.hides(bounty) ? rows.slice(0, bounty.place) : rows;
    }
    const [, index] = /^\/assertions\/(\d+)$/.exec(rest) ?? [];
    if (index !== undefined) return listed(bounty, account)[Number(index)] ?? notFound(ask);
    return rest === "/votes" ? [] : rawBounty(bounty);
  }

  #post(raws: readonly string[]): unknown {
    const { chain, onSubmit } = this.#parts;
    const entries = raws.map((raw) => {
      onSubmit(raw);
      const complaint = chain.submit(raw);
      return { is_error: complaint !== undefined, message: complaint ?? chain.hashOf(raw) };
    });
    if (entries.every(({ is_error }) => !is_error)) return entries;
    const messages = entries.filter(({ is_error }) => is_error).map(({ message }) => message);
    return new MarketFault("MARKET_REFUSED", messages.join("; "), {
      status: 400,
      reached: "yes",
      retryable: false,
      messages,
      errors: entries,
    });
  }

  /** Until each is mined with one more block on top, ten seconds for each at most. */
  #hold(hashes: readonly string[], give: (answer: unknown) => void): void {
    const { chain, time } = this.#parts;
    const until = time.now() + HOLDS_MS * hashes.length;
    const look = (): void => {
      const fates = hashes.map((hash) => chain.fate(hash));
      const isThere = fates.every((fate) => fate !== undefined && fate.block < chain.head);
      if (isThere || time.now() >= until) give(this.#receipts(hashes));
      else time.after(POLLS_MS, look);
    };
    look();
  }

  #receipts(hashes: readonly string[]): unknown {
    const { chain, account } = this.#parts;
    const found: Mined[] = [];
    const errors: string[] = [];
    for (const hash of hashes) {
      const fate = chain.fate(hash);
      if (fate === undefined || fate.block >= chain.head)
        errors.push(`transaction ${hash}: timeout during wait for receipt`);
      else if (fate.revert !== undefined)
        errors.push(`transaction ${hash}: transaction failed at block ${fate.block}, error: ${fate.revert}`);
      else found.push(fate);
    }
    const asserted = found.filter(({ call }) => call.do === "assert").map(({ call }) => call.guid);
    const settled = found.filter(({ call }) => call.do === "settle").map(({ call }) => call.guid);
    const answer = {
      errors,
      assertions: asserted.map((guid) => assertionEvent(chain.bounties.get(guid)!, account)),
      transfers: settled.map((guid) => ({
        from: NODE,
        to: account,
        value: String(payoutOf(chain.bounties.get(guid)!)),
      })),
    };
    if (errors.length === 0) return answer;
    return new MarketFault("MARKET_REFUSED", errors.join("; "), {
      status: 400,
      reached: "yes",
      retryable: false,
      messages: errors,
      errors: answer,
    });
  }
}

function endpointOf({ method, path }: Ask): Endpoint {
  if (path === "/transactions") return method === "POST" ? "post" : "receipts";
  if (path === "/nonce" || path === "/pending") return "nonce";
  if (path === "/status") return "status";
  if (path === "/bounties/metadata") return "metadata";
  if (method === "POST") return "build";
  if (path.endsWith("/assertions")) return "list";
  return /\/assertions\/\d+$/.test(path) ? "single" : "other";
}

const notFound = ({ what }: Ask): MarketFault =>
  new MarketFault("MARKET_NOT_FOUND", `The marketplace does not find ${what}.`, {
    status: 404,
    reached: "yes",
    retryable: false,
  });

const unsignedFor = (rest: string) =>
  rest === "/assertions" ? [CONTRACT_UNSIGNED, CONTRACT_UNSIGNED] : [CONTRACT_UNSIGNED];

const parametersOf = ({ revealWindow, voteWindow }: ModelChain) => ({
  bounty_fee: someParameters.bountyFee,
  assertion_fee: someParameters.assertionFee,
  bounty_amount_minimum: someParameters.bountyAmountMinimum,
  assertion_bid_minimum: someParameters.bidMinimum,
  assertion_bid_maximum: someParameters.bidMaximum,
  assertion_reveal_window: revealWindow,
  arbiter_vote_window: voteWindow,
  max_duration: 1_000,
});

const { bids, mask, verdicts } = aPlan();
const bits = (value: bigint) => [0n, 1n].map((at) => ((value >> at) & 1n) === 1n);

/** All assertions: those of others, who do not reveal, with ours in its place. */
function listed(bounty: ModelBounty, account: Address): readonly unknown[] {
  const others = Array.from({ length: bounty.place }, () => ({
    author: NODE,
    bid: bids.map(String),
    mask: bits(mask),
    commitment: "1",
    nonce: "0",
  }));
  if (bounty.asserted === undefined) return others;
  const { commitment } = bounty.asserted;
  const revealed = bounty.revealed === undefined ? {} : { verdicts: bits(verdicts) };
  const nonce = bounty.revealed?.nonce ?? 0n;
  const ours = { author: account, bid: bids.map(String), mask: bits(mask), commitment, nonce, ...revealed };
  return [...others, ours];
}

const assertionEvent = (bounty: ModelBounty, author: Address) => ({
  bounty_guid: bounty.guid,
  author,
  index: bounty.place,
  commitment: bounty.asserted?.commitment ?? 0n,
});

/** Nobody votes: stake and fee come back, and a share of the reward. */
function payoutOf({ place }: ModelBounty): bigint {
  const share = REWARD / 2n / BigInt(place + 1);
  return bids.reduce((sum, bid) => sum + bid + share, 0n) + someParameters.assertionFee;
}

const REWARD = 5n * 10n ** 18n;

const rawBounty = ({ guid, expiration }: ModelBounty) => ({
  guid: guid as Guid,
  artifact_type: "file",
  author: NODE,
  amount: String(REWARD),
  uri: "QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6",
  num_artifacts: 2,
  expiration,
  metadata: [],
  quorum_reached: false,
});
