import { setTimeout as sleep } from "node:timers/promises";
import { isContentAddress } from "../../domain/artifact.ts";
import type { Bounty, MarketId } from "../../domain/bounty.ts";
import { describeError, Fault } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import type { Clock, Instant } from "../../domain/instant.ts";
import { formatNct, type Nct } from "../../domain/nct.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { BountyList } from "../bounty-list.ts";
import { Listeners } from "../listeners.ts";
import type {
  AnswerTimes,
  BountyIntake,
  Confirmation,
  ListedArtifact,
  Market,
  MarketCondition,
  MarketEvents,
  Terms,
} from "../port.ts";
import type { LostAnswers, RescanArtifacts } from "../recovery.ts";
import type { TellRecover } from "../recovery-events.ts";
import type { Agenda, Sealed } from "../settlement.ts";
import { bountyListOf } from "./bounty-list-of.ts";
import { type BlockClock, createBlockClock } from "./chain/block-clock.ts";
import { ChainBack } from "./chain/chain-back.ts";
import { confirmBounty } from "./chain/confirm-bounty.ts";
import { watchContracts } from "./chain/contracts-watch.ts";
import { Deprecation } from "./chain/deprecation.ts";
import type { JoinedChain } from "./chain/join-chain.ts";
import { NonceHoles } from "./chain/nonce-holes.ts";
import type { KnownPins } from "./chain/pins.ts";
import { takeOver } from "./chain/take-over.ts";
import { block } from "./port/block.ts";
import { expirationOf } from "./port/details.ts";
import type { TellOnchain } from "./port/events.ts";
import type { Marketplace, PostedBounty } from "./port/marketplace.ts";
import { inTimeToPost } from "./port/windows.ts";
import { type LostStakeSearch, openLostStakeSearch } from "./recovery/lost-stake-search.ts";
import type { RecoveryParts } from "./recovery/recover-bounty.ts";
import { searchBounties } from "./recovery/search.ts";
import { OnchainSettlement } from "./settlement/onchain-settlement.ts";
import { commitment } from "./settlement/record/commitment.ts";

interface OnchainMarketParts {
  readonly joined: JoinedChain;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: TellOnchain;
  readonly tellRecover: TellRecover;
  /** Of an assertion: what costs more is not posted. */
  readonly feeCeiling?: Nct | undefined;
  /** Verdicts that a start tries at most for an answer that the ledger lost. */
  readonly tries: number;
  /** Of microengine. */
  readonly version: string;
}

/** Announcements that are kept until bounties are answered; older ones are found in the marketplace's list. */
const MOST_EARLY = 500;
/** Blocks between the moment answers are due and the last block that can take the assertion: to build, sign and send it. */
const POSTING_BLOCKS = 2;
/** Before it is tried again to find out whether a ledger was lost. */
const TRY_AGAIN_MS = 5_000;

/**
 * The marketplace behind contracts, on one chain.
 *
 * An announced bounty goes its way only when it cannot carry an answer of ours that the ledger does not know:
 *
 *     heard ──not begun──► kept, the newest 500 ──begin──┐
 *       └──begun──────────────────────────────────────────┴──► may it carry a lost answer? ──no──► the intake
 *                                                                     └──yes──► kept until that was looked into
 */
export class OnchainMarket implements Market {
  readonly id: MarketId;
  readonly account: string;
  readonly settlement: OnchainSettlement;
  readonly broken: Promise<Fault>;
  readonly list: BountyList;
  readonly lost: LostAnswers;
  readonly #parts: OnchainMarketParts;
  readonly #market: Marketplace;
  readonly #deprecation: Deprecation;
  readonly #listening = new DisposableStack();
  readonly #listeners = new Listeners<MarketEvents>();
  readonly #broken = Promise.withResolvers<Fault>();
  #reaching: Promise<void> | undefined;
  #blocks: BlockClock | undefined;
  /** The contracts that we hold to, once the gateway has named them. */
  #pins: KnownPins | undefined;
  #agenda: Agenda | undefined;
  #early: PostedBounty[] = [];
  #intake: BountyIntake | undefined;
  #lostStakes: LostStakeSearch | undefined;
  #newest: number | undefined;

  constructor(parts: OnchainMarketParts) {
    const { joined, ledger, clock, feeCeiling } = parts;
    const { market, wallet } = joined;
    this.#parts = parts;
    this.#market = market;
    this.id = market.id;
    this.account = wallet.address;
    this.broken = this.#broken.promise;
    const tell: TellOnchain = (event, facts) => {
      parts.tell(event, facts);
      // The contract took a reveal of ours: the token that its stake was paid with is the market's.
      if (event === "assertion.revealed") wallet.confirmToken().catch(() => undefined);
    };
    this.#deprecation = new Deprecation({ market, ledger, tell });
    this.settlement = new OnchainSettlement({
      market,
      ledger,
      clock,
      tell,
      deprecation: this.#deprecation,
      feeCeiling,
      seal: (guid, verdicts) => this.#seal(guid, verdicts),
      watches: (agenda) => {
        this.#agenda = agenda;
        return [
          new NonceHoles({ market, ledger, tell }),
          new ChainBack({ market, ledger, tell, resume: () => void agenda.resume() }),
        ];
      },
    });
    this.list = bountyListOf(market, this.#deprecation);
    this.lost = {
      search: ({ rescan, tries, within, found }, signal) =>
        searchBounties({ recovery: this.#recovery(rescan, tries), blocks: within, found }, signal),
    };
  }

  /** Hears the marketplace, until it is disposed of; from before anything is asked, so that the first word counts. */
  listen(): void {
    const { joined, tell } = this.#parts;
    const market = this.#market;
    const { id } = this;
    this.#listening.use(joined.listen());
    this.#listening.use(this.#deprecation.listen());
    this.#listening.defer(market.on("connected", () => this.#connected()));
    this.#listening.defer(
      market.on("disconnected", ({ reason }) => tell("market.disconnected", { market: id, reason })),
    );
    this.#listening.defer(
      market.on("parameters", ({ assertionFee, revealWindow, voteWindow }) =>
        tell("market.parameters", {
          market: id,
          assertionFee: formatNct(assertionFee),
          revealWindow,
          voteWindow,
        }),
      ),
    );
    this.#listening.defer(market.on("block", ({ number }) => this.#heardBlock(number)));
    this.#listening.defer(market.on("bounty", (notice) => this.#heardBounty(notice)));
    this.#listening.defer(
      market.on("assertion", ({ guid, author, mask, bids }) =>
        this.#listeners.emit("rival", { guid, author, at: this.#parts.clock.now(), mask, bids }),
      ),
    );
  }

  on<Name extends keyof MarketEvents>(
    event: Name,
    listener: (...args: MarketEvents[Name]) => void,
  ): () => void {
    return this.#listeners.on(event, listener);
  }

  open(): void {
    this.#market.open();
  }

  reached(signal: AbortSignal): Promise<void> {
    this.#reaching ??= this.#reach(signal);
    return this.#reaching;
  }

  async joined(signal: AbortSignal): Promise<void> {
    const { joined, clock } = this.#parts;
    const pins = await joined.start(signal);
    this.#deprecation.reread();
    this.#beginClock();
    if (this.#pins === undefined)
      this.#listening.defer(
        watchContracts({ market: this.#market, pins, clock, signal }, this.#broken.resolve),
      );
    this.#pins = pins;
  }

  async begin(intake: BountyIntake, rescan: RescanArtifacts, signal: AbortSignal): Promise<void> {
    const lostStakes = await this.#openSearch(rescan, signal);
    if (signal.aborted) return;
    this.#lostStakes = lostStakes;
    // Whatever ends the intake, what is announced afterwards is kept for the next.
    signal.addEventListener("abort", () => this.#endIntake(intake), { once: true });
    const release = (): void => {
      this.#intake = intake;
      intake.release();
      for (const notice of this.#early.splice(0)) this.#hearAgain(notice);
    };
    if (lostStakes === undefined) {
      release();
      intake.open();
      return;
    }
    const hear = (notice: PostedBounty): void => this.#hearAgain(notice);
    const waiting = { has: (guid: Guid) => intake.has(guid), hear, release, open: () => intake.open() };
    await lostStakes.run(waiting, signal);
  }

  leave(): void {
    this.#market.leave();
  }

  condition(): MarketCondition {
    const market = this.#market;
    return {
      isConnected: market.connected(),
      isConfirmed: !this.#deprecation.unconfirmed(),
      moment: market.headKnown() ? market.head() : undefined,
      requests: market.inFlight(),
    };
  }

  refuses(): "deprecated" | undefined {
    return this.#deprecation.active() ? "deprecated" : undefined;
  }

  withholds(guid: Guid): boolean {
    return this.#lostStakes?.leaves(guid) ?? false;
  }

  confirm(known: Pick<Bounty, "guid" | "details">, signal: AbortSignal): Promise<Confirmation> {
    return confirmBounty(this.#market, known, signal);
  }

  /** The last block to send in is `expiration - 2`: it is mined in `expiration - 1`. */
  answerTimes(bounty: Pick<Bounty, "details">): AnswerTimes {
    const last = expirationOf(bounty) - 2;
    return { last: this.#instantOf(last), comfortable: this.#instantOf(last - POSTING_BLOCKS) };
  }

  isOpen(bounty: Pick<Bounty, "details">): boolean {
    return inTimeToPost(expirationOf(bounty), this.#market.head());
  }

  terms(): Terms {
    const { bidMinimum, bidMaximum, assertionFee: fee } = this.#market.parameters();
    return { isStaked: true, bidMinimum, bidMaximum, fee, verdicts: ["malicious", "benign"] };
  }

  balance = (signal?: AbortSignal): Promise<Nct> => this.#market.balance(signal);

  /**
   * The artifact service lists one object of more than 256 KiB as its chunks, without names, and the bounty counts each as an
   * artifact; the arbiters may vote on the whole. A directory names its entries.
   */
  async listArtifacts({ uri }: Pick<Bounty, "uri">, signal: AbortSignal): Promise<readonly ListedArtifact[]> {
    const links = await this.#market.listArtifacts(uri, signal);
    const isPiece = links.length > 1 && links.every(({ name }) => name === "");
    return links.map(({ name }) => ({ name, isPiece }));
  }

  artifactHead({ uri }: Pick<Bounty, "uri">, index: number, bytes: number, signal: AbortSignal) {
    return this.#market.artifactHead(uri, index, bytes, signal);
  }

  artifact({ uri }: Pick<Bounty, "uri">, index: number) {
    return { kind: "content", address: uri, index } as const;
  }

  hasArtifactsAt(uri: string): boolean {
    return isContentAddress(uri);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#market[Symbol.asyncDispose]();
    this.#listening.dispose();
  }

  /** Undefined when nothing can have been lost. What keeps that from being found out is told, and it is tried again. */
  async #openSearch(rescan: RescanArtifacts, signal: AbortSignal): Promise<LostStakeSearch | undefined> {
    const { tries, tellRecover } = this.#parts;
    const recovery = this.#recovery(rescan, tries);
    const duties = { take: async (guid: Guid, at: number) => this.#agenda?.take(guid, at) };
    let told: string | undefined;
    while (!signal.aborted) {
      try {
        return await openLostStakeSearch({ recovery, duties }, signal);
      } catch (error) {
        const reason = describeError(error);
        if (!signal.aborted && reason !== told) tellRecover("recover.delayed", { market: this.id, reason });
        told = reason;
      }
      await sleep(TRY_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
    return undefined;
  }

  #endIntake(intake: BountyIntake): void {
    if (this.#intake === intake) this.#intake = undefined;
  }

  /** An announcement that was kept; what goes wrong with one keeps nothing from the others. */
  #hearAgain(notice: PostedBounty): void {
    try {
      this.#heardBounty(notice);
    } catch (error) {
      this.#parts.tell("bounty.failed", { guid: notice.guid, reason: describeError(error) });
    }
  }

  async #reach(signal: AbortSignal): Promise<void> {
    const { ledger, tell } = this.#parts;
    await this.#market.reached(signal);
    await takeOver({ market: this.#market, ledger, tell }, signal);
    this.#beginClock();
  }

  #beginClock(): void {
    const { clock } = this.#parts;
    this.#blocks ??= createBlockClock(this.#market.head(), clock.now());
  }

  #instantOf(number: number): Instant {
    this.#beginClock();
    return this.#blocks!.instantOf(block(number));
  }

  #connected(): void {
    this.#parts.tell("market.connected", { market: this.id });
    this.#listeners.emit("missed");
  }

  #heardBlock(number: number): void {
    this.#blocks?.observe(block(number), this.#parts.clock.now());
    const before = this.#newest ?? number - 1;
    this.#newest = number;
    // Blocks that were left out may have held bounties.
    if (number !== before + 1) this.#listeners.emit("missed");
    this.#listeners.emit("moved", { moment: number });
  }

  #heardBounty(notice: PostedBounty): void {
    const { guid, postedIn } = notice;
    if (this.#intake === undefined) {
      this.#early.push(notice);
      if (this.#early.length > MOST_EARLY) this.#early.shift();
      return;
    }
    if (postedIn !== undefined) this.#deprecation.posted(guid, postedIn);
    if (this.#lostStakes?.keeps(notice)) return;
    const { kind, uri, expiration } = notice;
    this.#intake.hear({ guid, kind, uri, details: { expiration } });
  }

  #nonceFor(guid: Guid): bigint {
    const { wallet } = this.#parts.joined;
    if (this.#pins === undefined)
      throw new Fault("CONTRACTS_UNKNOWN", "Nothing is sealed before the contracts are known.");
    const { chainId, registry } = this.#pins;
    return wallet.commitmentNonce({ chainName: this.#parts.joined.chain, chainId, registry, guid });
  }

  #seal(guid: Guid, verdicts: bigint): Sealed {
    const nonce = this.#nonceFor(guid);
    return { nonce, commitment: commitment(this.#market.account, verdicts, nonce) };
  }

  #recovery(rescan: RescanArtifacts, tries: number): RecoveryParts {
    const { ledger, clock, version, tellRecover } = this.#parts;
    return {
      market: this.#market,
      ledger,
      clock,
      version,
      tries,
      tell: tellRecover,
      rescan,
      nonceFor: (guid) => this.#nonceFor(guid),
      instantOf: (number) => this.#instantOf(number),
    };
  }
}
