/**
 * What an engine needs of any marketplace, to hear of bounties and to answer them. What is owed after the answer is the
 * marketplace's own: see settlement.ts. A kind of marketplace is a folder here; src/producer/process/markets.ts alone knows which
 * there are.
 */
import type { ArtifactReference } from "../domain/artifact.ts";
import type { Bounty, MarketId } from "../domain/bounty.ts";
import type { Fault } from "../domain/fault.ts";
import type { Guid } from "../domain/guid.ts";
import type { Instant } from "../domain/instant.ts";
import type { Nct } from "../domain/nct.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { BountyList } from "./bounty-list.ts";
import type { Moment } from "./moment.ts";
import type { LostAnswers, RescanArtifacts } from "./recovery.ts";
import type { Settlement } from "./settlement.ts";

/** What a marketplace tells while it goes on. It may repeat, and may be missing. */
export interface MarketEvents {
  /** Bounties may have been missed: the list of them is to be looked at. */
  missed: [];
  /** Time went on: see `Moment`. */
  moved: [{ readonly moment: Moment }];
  /** What another engine staked on a bounty. */
  rival: [RivalAnswer];
}

/** A bounty that was heard of, as far as the news says it. */
export interface BountyNotice extends Pick<Bounty, "guid" | "kind" | "uri" | "details"> {
  /** All of it, where the marketplace pushes it and does not say it again. */
  readonly whole?: Bounty;
}

/** What another engine has staked so far. */
export interface RivalAnswer {
  readonly guid: Guid;
  readonly author: string;
  /** When we heard of it. */
  readonly at: Instant;
  readonly mask: bigint;
  /** One per set bit of `mask`, lowest bit first. */
  readonly bids: readonly Nct[];
}

/** What an answer may say and cost, as the marketplace has it now. Amounts per artifact but for the fee. */
export interface Terms {
  /** Whether an answer carries a stake; without one the other amounts are 0. */
  readonly isStaked: boolean;
  readonly bidMinimum: Nct;
  readonly bidMaximum: Nct;
  /** Paid once for an answer, never returned. */
  readonly fee: Nct;
  /** What an answer can express. */
  readonly verdicts: readonly Verdict[];
}

/** The times of an answer to one bounty. */
export interface AnswerTimes {
  /** An answer that is sent later does not count. */
  readonly last: Instant;
  /** One that is sent by then has time to be built, signed and taken. */
  readonly comfortable: Instant;
}

/** A bounty as the marketplace has it, asked for. */
export interface Confirmation {
  /** `null` when it knows no such bounty. */
  readonly bounty: Bounty | null;
  /** Why nothing may be staked on it: its answers contradict each other. */
  readonly doubt?: string | undefined;
}

/** What takes up the bounties of a marketplace. */
export interface BountyIntake {
  /** Whether a bounty is being answered. */
  has(guid: Guid): boolean;
  /** Takes up a bounty. When it returns, what is taken up of a `whole` one is durable; false when it is left alone. */
  hear(notice: BountyNotice): boolean;
  /** Called once: what an earlier run left unanswered may be taken up again. Bounties posted after the start come from here on. */
  release(): void;
  /** Called once, after `release`: all others may be looked for, too. */
  open(): void;
}

/** How a marketplace is doing, for health and metrics. */
export interface MarketCondition {
  readonly isConnected: boolean;
  /** False while it says something that is still to be confirmed. */
  readonly isConfirmed: boolean;
  /** Undefined while it is not known. */
  readonly moment: Moment | undefined;
  /** Requests on their way; there is a bound to them. */
  readonly requests: number;
}

/** A share of the listing of one bounty. */
export interface ListedArtifact {
  /** Empty where the marketplace gives none. */
  readonly name: string;
  /** It is a piece of one large object: a verdict on it would say nothing of that, so none is given. */
  readonly isPiece?: boolean;
}

/**
 * A marketplace. Methods throw a Fault when it cannot be asked; `retryable` says whether asking again may help.
 *
 *     made ──open──► listening ──reached──► what is owed is seen to ──joined──► may answer ──begin──► bounties come
 *
 * With nothing owed `joined` alone is called; it opens the rest. `leave` and the end come from every state.
 */
export interface Market extends AsyncDisposable {
  /** Keys ledger, jobs and metrics. */
  readonly id: MarketId;
  /** Who we are there, for people. */
  readonly account: string;
  readonly settlement: Settlement;
  /** Resolves when nothing must be promised here any more, with what the operator has to know. */
  readonly broken: Promise<Fault>;

  /** Calls the listener until the returned function is called. */
  on<Name extends keyof MarketEvents>(
    event: Name,
    listener: (...args: MarketEvents[Name]) => void,
  ): () => void;
  /** Begins to listen, and asks a marketplace that does not answer for as long as it takes. Never fails. */
  open(): void;
  /** Resolves when what is owed can be seen to. Rejects with the signal's reason. */
  reached(signal: AbortSignal): Promise<void>;
  /** Resolves when bounties may be answered. Throws ConfigFault for what the operator can correct. It may be called again. */
  joined(signal: AbortSignal): Promise<void>;
  /**
   * Hands bounties to the intake from now on; before that none is lost that the marketplace will not say again. Resolves when
   * nothing of an earlier run is looked for any more. Never rejects.
   */
  begin(intake: BountyIntake, rescan: RescanArtifacts, signal: AbortSignal): Promise<void>;
  /** We stop: a marketplace that cannot be reached is waited for no longer. */
  leave(): void;
  condition(): MarketCondition;

  /** Why no bounty is taken up now; undefined when it is accepting answers. */
  refuses(): "deprecated" | undefined;
  /** Whether a bounty may carry an answer of ours that the ledger does not know, for all we know. */
  withholds(guid: Guid): boolean;
  /**
   * The bounty, asked for, and whether it is what we knew of it. A marketplace that says nothing twice has what it said: a bounty
   * that came whole, or was in the ledger, is handed in as it is.
   */
  confirm(known: BountyNotice | Bounty, signal: AbortSignal): Promise<Confirmation>;
  /** The instants by which an answer counts, as far as one can tell now. */
  answerTimes(bounty: Bounty): AnswerTimes;
  /** Whether an answer that is sent now still counts; it has the last word where a clock was set. */
  isOpen(bounty: Pick<Bounty, "details">): boolean;
  terms(): Terms;
  /** What is to be staked comes out of this, in base units; absent where there is no stake. */
  readonly balance?: (signal?: AbortSignal) => Promise<Nct>;
  /** The artifacts that the bounty's address lists, in order. */
  listArtifacts(bounty: Pick<Bounty, "uri">, signal: AbortSignal): Promise<readonly ListedArtifact[]>;
  /** At most the first `bytes` of an artifact; the rest is not downloaded. */
  artifactHead(
    bounty: Pick<Bounty, "uri">,
    index: number,
    bytes: number,
    signal: AbortSignal,
  ): Promise<Uint8Array>;
  /** Where consumers fetch an artifact. */
  artifact(bounty: Pick<Bounty, "uri">, index: number): ArtifactReference;
  /** Whether artifacts can be had at such an address at all. */
  hasArtifactsAt(uri: string): boolean;
  /** Where missed bounties are found; absent where the marketplace pushes them. */
  readonly list?: BountyList;
  /** Where answers are found that the ledger lost; absent where that is not possible. */
  readonly lost?: LostAnswers;
}
