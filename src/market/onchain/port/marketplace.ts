import type { Address } from "../../../domain/address.ts";
import type { ArtifactKind } from "../../../domain/artifact.ts";
import type { Bounty, MarketId } from "../../../domain/bounty.ts";
import type { Guid } from "../../../domain/guid.ts";
import type { Nct } from "../../../domain/nct.ts";
import type { SignedTransaction } from "../../../wallet/transaction.ts";
import type { BlockNumber } from "./block.ts";
import type { MarketParameters } from "./parameters.ts";

/** What a marketplace tells while it goes on. Unauthenticated, may repeat, may be missing: always check by asking. */
export interface ContractEvents {
  /** The stream is (again) open; whatever happened before may have been missed. */
  connected: [];
  disconnected: [{ readonly reason: string }];
  block: [{ readonly number: BlockNumber }];
  bounty: [PostedBounty];
  assertion: [AssertionNotice];
  reveal: [{ readonly guid: Guid; readonly author: Address; readonly index: number }];
  vote: [{ readonly guid: Guid; readonly voter: Address }];
  quorum: [{ readonly guid: Guid }];
  settled: [{ readonly guid: Guid; readonly settler: Address; readonly payout: Nct }];
  parameters: [MarketParameters];
  /** No bounty can be posted from the block `since` on, as far as the marketplace names it. */
  deprecated: [{ readonly rollover: boolean; readonly since: BlockNumber | undefined }];
  undeprecated: [];
  /** The wallet refused to sign what the gateway had built for us; nothing was sent. Not from the stream: it is certain. */
  refused: [{ readonly guid: Guid; readonly reason: string }];
}

/** What the bounty event says. `bounty()` knows how many artifacts there are, and what the ambassador claims of each. */
export interface PostedBounty {
  readonly guid: Guid;
  readonly kind: ArtifactKind;
  readonly author: Address;
  readonly amount: Nct;
  readonly uri: string;
  readonly expiration: BlockNumber;
  readonly postedIn: BlockNumber | undefined;
}

export interface AssertionNotice {
  readonly guid: Guid;
  readonly author: Address;
  readonly index: number;
  readonly bids: readonly Nct[];
  readonly mask: bigint;
  readonly commitment: bigint;
}

/** An assertion as the marketplace holds it. */
export interface PostedAssertion extends AssertionNotice {
  readonly revealed: boolean;
  /** As revealed; absent before that, or when the marketplace does not say. */
  readonly verdicts?: bigint;
}

export interface ArbiterVote {
  readonly voter: Address;
  readonly votes: bigint;
}

/** What we commit to. */
export interface AssertionRequest {
  readonly guid: Guid;
  /** One per set bit of `mask`, lowest bit first. */
  readonly bids: readonly Nct[];
  readonly mask: bigint;
  readonly artifactCount: number;
  readonly commitment: bigint;
  readonly fee: Nct;
  /** The highest fee we pay, whatever the market asks for by the time it is built; default none. */
  readonly feeCeiling?: Nct | undefined;
}

export interface RevealRequest {
  readonly guid: Guid;
  readonly index: number;
  /** The secret of the commitment. */
  readonly nonce: bigint;
  readonly verdicts: bigint;
  readonly artifactCount: number;
  /** URI of the published metadata, or at most 1024 characters of text. */
  readonly metadata: string;
}

/**
 * Called with what was just signed, in the order of the nonces, before anything is sent; what it does must be durable
 * when it resolves. Nothing is sent when it rejects. Called again when the nonces had to be chosen anew. The last
 * transaction decides: what comes before it (an approval) does nothing by itself.
 */
export type Journal = (signed: readonly SignedTransaction[]) => Promise<void> | void;

/** Also told the fee that was approved: the market may have changed it since the request was made. */
export type AssertionJournal = (signed: readonly SignedTransaction[], fee: Nct) => Promise<void> | void;

/** What the marketplace refused, where it matters which refusal it was. `wrong-place`: our assertion is not there. */
export type ContractRefusal =
  | "already-asserted"
  | "already-revealed"
  | "already-settled"
  | "not-in-reveal-window"
  | "unknown-bounty"
  | "wrong-place";

/** How an action ended. `unknown`: sent, but it is not known whether it was mined; look before repeating. */
export type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | {
      readonly kind: "failed";
      /** For people. */
      readonly reason: string;
      readonly retryable: boolean;
      readonly refusal?: ContractRefusal;
    }
  | { readonly kind: "unknown"; readonly reason: string };

/**
 * How sending once more what was signed before ended. `sent`: the node has all of it, or had it already.
 * `void`: another transaction was mined with one of the nonces, so that this one never can be. `unknown`: it
 * cannot be told; send it again later.
 */
export type Resent =
  | { readonly kind: "sent" }
  | { readonly kind: "void"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** What was signed, each entry in one go for one action, with an account nonce of at least this. */
export type SignedFrom = (nonce: bigint) => readonly (readonly SignedTransaction[])[];

/** What a gateway builds transactions for. */
export interface MarketContracts {
  readonly chainId: bigint;
  readonly registry: Address;
}

/** What a transaction that was mined did for us. */
export interface LookedUp {
  readonly payout: Nct;
  /** Where our assertion stands, when it was one. */
  readonly index?: number;
}

/** What a request is for, most urgent first: an unrevealed stake is lost, a settlement can wait for ever. */
export const URGENCIES = ["reveal", "assertion", "settle", "read"] as const;
export type Urgency = (typeof URGENCIES)[number];

/** How to look for what our account asserted on a bounty. */
export interface OwnAssertionsAsk {
  readonly signal?: AbortSignal | undefined;
  /** Of what waits for the answer. Default: `read`. */
  readonly urgency?: Urgency | undefined;
  /** Where it should stand; asked for at once, and believed only if it is there. */
  readonly likely?: number | undefined;
}

/**
 * A marketplace, as an engine with a wallet sees it. Methods throw a Fault when the marketplace cannot be asked;
 * `retryable` says whether asking again may help.
 */
export interface Marketplace extends AsyncDisposable {
  /** Keys what is written down of it. */
  readonly id: MarketId;
  /** Our account. */
  readonly account: Address;

  /** Calls the listener until the returned function is called. */
  on<Name extends keyof ContractEvents>(
    event: Name,
    listener: (...args: ContractEvents[Name]) => void,
  ): () => void;

  /** Begins to listen and to ask, and goes on until it is disposed of; `start` does so, too. Never fails. */
  open(): void;
  /** Resolves when the newest block is known, from the stream or from an answer: then `head` may be asked. */
  reached(signal: AbortSignal): Promise<void>;
  /**
   * Resolves when the parameters and the current block are known and the event stream is open. A stream that cannot be
   * had for long is done without: blocks are asked for then, and `connected` is false until it comes.
   */
  start(signal: AbortSignal): Promise<void>;
  connected(): boolean;
  /** Requests on their way; there is a bound to them. */
  inFlight(): number;
  /** We stop: what a gateway that cannot be reached would be waited for with patience is left for the next start. */
  leave(): void;
  /** Whether a block was heard of. */
  headKnown(): boolean;
  /** The newest block heard of; one must be. */
  head(): BlockNumber;
  /** The newest block, asked for: nothing irrevocable is done on the word of the event stream alone. */
  freshHead(signal?: AbortSignal): Promise<BlockNumber>;
  /**
   * As the marketplace last said twice; asked again after a reconnect, when an event says that they changed, and once in a
   * while. Before it said anything, as an earlier run knew them, failing that the contracts' own.
   */
  parameters(): MarketParameters;
  /** Whether the marketplace itself has told the parameters, and has not said otherwise since. */
  parametersKnown(): boolean;
  /** Asked anew: one wrong answer must not write off what could still be saved. */
  freshParameters(signal?: AbortSignal): Promise<MarketParameters>;

  /** `null` when the marketplace knows no such bounty. */
  bounty(guid: Guid, signal?: AbortSignal): Promise<Bounty | null>;
  /** Whether the arbiters have agreed on a bounty; false also when the marketplace knows no such bounty. */
  quorumReached(guid: Guid, signal?: AbortSignal): Promise<boolean>;
  /**
   * The GUIDs of one page of all bounties ever posted, the oldest on page 0 and first; at most `bountiesPerPage`. A page
   * that is not full is the last one, an empty one lies beyond it.
   */
  bountyPage(page: number, signal?: AbortSignal): Promise<readonly Guid[]>;
  readonly bountiesPerPage: number;
  /** The chain and the registry that the gateway builds transactions for; learnt without signing anything. */
  contracts(signal?: AbortSignal): Promise<MarketContracts>;
  /** The content address of every artifact the URI lists, in order. */
  listArtifacts(uri: string, signal?: AbortSignal): Promise<readonly { name: string; hash: string }[]>;
  /** At most the first `bytes` of an artifact; the rest is not downloaded. */
  artifactHead(uri: string, index: number, bytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** All of them, or a fault: strangers may have posted more than can be read. */
  assertions(guid: Guid, signal?: AbortSignal): Promise<readonly PostedAssertion[]>;
  /** Those of our account, of however many; the contract takes one. */
  ownAssertions(guid: Guid, how?: OwnAssertionsAsk): Promise<readonly PostedAssertion[]>;
  votes(guid: Guid, signal?: AbortSignal): Promise<readonly ArbiterVote[]>;
  /** How many transactions of our account the node knows, those included that wait to be mined; 0 when it sent none. */
  transactionCount(): Promise<bigint>;
  /** How many transactions of our account were mined: one with a smaller nonce is, or never will be. */
  minedCount(): Promise<bigint>;
  /** NCT of our account, in base units. */
  balance(signal?: AbortSignal): Promise<Nct>;

  /** Stores assertion metadata (one entry per artifact) and returns its URI. */
  publishMetadata(
    metadata: readonly Readonly<Record<string, unknown>>[],
    signal?: AbortSignal,
  ): Promise<string>;

  /** `onRequest` is called when the request for the assertion leaves; it is there to measure with. */
  assert(
    request: AssertionRequest,
    journal: AssertionJournal,
    options?: { readonly signal?: AbortSignal; readonly onRequest?: () => void },
  ): Promise<Outcome<{ readonly index: number }>>;
  reveal(request: RevealRequest, journal: Journal, signal?: AbortSignal): Promise<Outcome<void>>;
  /** The payout is what the settlement's transfer paid us; 0 when we won nothing. */
  settle(guid: Guid, journal: Journal, signal?: AbortSignal): Promise<Outcome<{ readonly payout: Nct }>>;
  /**
   * What became of one action, given the deciding hash of each time it was signed, the oldest first: `done` with the
   * payout (0 unless a settlement) or the index of our assertion when one of them was mined, `failed` when every one
   * reverted or was never sent, `unknown` when one of them may still be mined or the marketplace cannot say.
   */
  lookUp(hashes: readonly string[], signal?: AbortSignal): Promise<Outcome<LookedUp>>;
  /**
   * Sends again, byte for byte, what was signed in one go for one action. Never signs, so nothing can happen twice;
   * an assertion is not sent when the approval before it cannot be mined any more. `urgency` says what the bytes are
   * for; by default they may be a reveal.
   */
  resend(signed: readonly SignedTransaction[], signal?: AbortSignal, urgency?: Urgency): Promise<Resent>;
  /**
   * Sends what an earlier run signed and may not have sent, before anything new takes its account nonces.
   * `signedFrom` is asked for all of it from a nonce on, the first that no mined transaction of ours has used; what was
   * signed in one go is one entry. In the order of the nonces; what the node does not take is left to `resend`. Returns
   * how many entries were sent.
   */
  resendAll(signedFrom: SignedFrom, signal?: AbortSignal): Promise<number>;
}
