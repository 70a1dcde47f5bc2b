/**
 * What keeps the promises on one chain: the market, the wallet and the duties. It needs the key, the ledger and a gateway,
 * and nothing that only new bounties need: no strategy, no queue, no parameters but those remembered, no status.
 *
 *     opened ──keep──► waiting for the newest block ──a block is known──► handing over ──done, or long enough──► keeping
 *
 * Without promises it stays `opened` until the market is joined with `start`, which finds out whether it is there at all.
 * With promises it listens at once, and asks a gateway that does not answer for as long as it takes.
 */
import { timeoutSignal } from "../../async/long-timer.ts";
import type { ProducerConfig } from "../../config/commands/producer.ts";
import type { ChainName, Clock } from "../../domain/chain.ts";
import { Fault } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import { PROMISED_STATES, STAKED_STATES } from "../../domain/lifecycle.ts";
import { formatNct } from "../../domain/nct.ts";
import type { Signer } from "../../domain/transaction.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { BountyNotice, Marketplace } from "../../market/onchain/port/marketplace.ts";
import type { Logger } from "../../observe/log.ts";
import type { ProducerMetrics } from "../../observe/producer-metrics.ts";
import type { Wallet } from "../../wallet/signer.ts";
import { type BlockClock, createBlockClock } from "../../market/onchain/chain/block-clock.ts";
import { type LookDeadlines, writeOffIfAnew } from "../../market/onchain/chain/chain-anew.ts";
import { ChainBack } from "../../market/onchain/chain/chain-back.ts";
import { Deprecation } from "../../market/onchain/chain/deprecation.ts";
import { type JoinedChain, type JoinParts, joinChain } from "../../market/onchain/chain/join-chain.ts";
import { NonceHoles } from "../../market/onchain/chain/nonce-holes.ts";
import type { KnownPins } from "../../market/onchain/chain/pins.ts";
import { resendSigned } from "../../market/onchain/chain/resend-signed.ts";
import { Duties } from "../duties/duties.ts";
import { type Duty, inTimeToReveal, revealIsDue, STAGES, type Stage } from "../../market/onchain/settlement/record/duty.ts";
import type { Tell } from "../events/events.ts";
import { BalanceReservations } from "../funds/balance-reservations.ts";

export interface ChainPromisesParts {
  readonly config: ProducerConfig;
  readonly privateKey: Uint8Array;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly log: Logger;
  readonly may: (duty: Duty) => boolean;
  /** The wallet refused to sign what the gateway had built. */
  readonly onRefused: () => void;
  readonly counts: JoinParts["counts"];
}

/** Once `keep` has resolved: the duties under way, and how many bounties they began with. */
export interface Kept {
  readonly duties: Duties;
  readonly blocks: BlockClock;
  readonly promised: number;
}

export interface ChainPromises extends AsyncDisposable {
  readonly chain: ChainName;
  readonly market: Marketplace;
  readonly wallet: Wallet;
  readonly reservations: BalanceReservations;
  readonly deprecation: Deprecation;
  readonly kept: Promise<Kept>;
  /** Bounties announced since we listen, the newest of them, that were not taken up; none is kept from then on. */
  takeEarly(): readonly BountyNotice[];
  /** Bounties that we owe something, by the ledger until the duties are under way. */
  open(): number;
  /** Bounties that wait for a post, a reveal or a settlement longer than usual. */
  overdue(): Readonly<Record<Stage, number>>;
  /** Calls the listener with each bounty that was settled, until the returned function is called. It must not throw. */
  onSettled(listener: (guid: Guid) => void): () => void;
  /** False while the disk takes no writes: nothing new is promised, what was promised is kept. */
  ledgerWritable(): boolean;
  refreshMetrics(metrics: ProducerMetrics): void;
  /** See `JoinedChain.start`. */
  start(signal: AbortSignal): Promise<KnownPins>;
  stop(): Promise<void>;
}

/** Announcements that are kept until bounties are answered; older ones are found in the marketplace's list. */
const MOST_EARLY = 500;
/**
 * What an earlier run signed goes before what is signed now, and a chain that began anew is told apart first; but a gateway
 * that takes its time must not hold up a reveal.
 */
const RESEND_MS = 5_000;
/** The same where a reveal is due that was not signed yet: a supervisor may end this process again in a few seconds. */
const RESEND_WHEN_DUE_MS = 1_000;
/** A chain that seems to have begun anew is looked at twice, three seconds apart; the second look may take as long again. */
const SECOND_LOOK_MS = 8_000;

/** Throws ConfigFault when configuration and ledger contradict each other about wallet or contracts. */
export function openChainPromises(
  chain: ChainName,
  parts: ChainPromisesParts,
  signal: AbortSignal,
): ChainPromises {
  const { config, ledger, clock, log } = parts;
  const isStaked = ledger.inStates(chain, STAKED_STATES).length > 0;
  const joined = joinChain(chain, {
    config,
    privateKey: parts.privateKey,
    ledger,
    clock,
    log,
    patience: isStaked ? "endless" : "as-configured",
    watched: (signer) => counting(signer, parts.onRefused),
    ...(parts.counts === undefined ? {} : { counts: parts.counts }),
  });
  const { wallet, market } = joined;
  const tell: Tell = (event, facts) => {
    parts.tell(event, facts);
    // The contract took a reveal of ours: the token that its stake was paid with is the market's.
    if (event === "assertion.revealed") wallet.confirmToken().catch(() => undefined);
  };
  const listening = new DisposableStack();
  listening.use(joined.listen());
  listening.defer(market.on("connected", () => tell("market.connected", { market: chain })));
  listening.defer(
    market.on("disconnected", ({ reason }) => tell("market.disconnected", { market: chain, reason })),
  );
  listening.defer(
    market.on("parameters", ({ assertionFee, revealWindow, voteWindow }) =>
      tell("market.parameters", {
        market: chain,
        assertionFee: formatNct(assertionFee),
        revealWindow,
        voteWindow,
      }),
    ),
  );
  const early = new EarlyNotices();
  listening.defer(market.on("bounty", (notice) => early.hear(notice)));
  const reservations = new BalanceReservations(() => market.balance(), clock);
  // From before the first frame on: what the stream tells is told once.
  const deprecation = new Deprecation({ market, ledger, tell });
  listening.use(deprecation.listen());
  if (isStaked) market.open();
  return new OpenedChainPromises(
    { chain, parts: { ...parts, tell }, joined, early, reservations, deprecation, listening },
    signal,
  );
}

/** Bounties announced since we listen, the newest of them, until they are taken up. */
class EarlyNotices {
  #kept: BountyNotice[] | undefined = [];

  hear(notice: BountyNotice): void {
    this.#kept?.push(notice);
    if (this.#kept !== undefined && this.#kept.length > MOST_EARLY) this.#kept.shift();
  }

  /** Keeps no more of them. */
  take(): readonly BountyNotice[] {
    const taken = this.#kept ?? [];
    this.#kept = undefined;
    return taken;
  }
}

interface OpenedParts {
  readonly chain: ChainName;
  readonly parts: ChainPromisesParts;
  readonly joined: JoinedChain;
  readonly early: EarlyNotices;
  readonly reservations: BalanceReservations;
  readonly deprecation: Deprecation;
  /** Ends what is heard of the marketplace. */
  readonly listening: DisposableStack;
}

class OpenedChainPromises implements ChainPromises {
  readonly chain: ChainName;
  readonly market: Marketplace;
  readonly wallet: Wallet;
  readonly reservations: BalanceReservations;
  readonly deprecation: Deprecation;
  readonly kept: Promise<Kept>;
  readonly #parts: ChainPromisesParts;
  readonly #joined: JoinedChain;
  readonly #early: EarlyNotices;
  readonly #listening: DisposableStack;
  readonly #settledListeners = new Set<(guid: Guid) => void>();
  /** The gateway has said which contracts it works with. */
  #isStarted = false;
  #duties: Duties | undefined;
  #nonceHoles: NonceHoles | undefined;
  #chainBack: ChainBack | undefined;

  constructor(opened: OpenedParts, signal: AbortSignal) {
    this.chain = opened.chain;
    this.market = opened.joined.market;
    this.wallet = opened.joined.wallet;
    this.reservations = opened.reservations;
    this.deprecation = opened.deprecation;
    this.#parts = opened.parts;
    this.#joined = opened.joined;
    this.#early = opened.early;
    this.#listening = opened.listening;
    this.kept = this.#keep(signal);
    this.kept.catch(() => undefined);
  }

  async start(until: AbortSignal): Promise<KnownPins> {
    const pins = await this.#joined.start(until);
    this.#isStarted = true;
    return pins;
  }

  takeEarly(): readonly BountyNotice[] {
    return this.#early.take();
  }

  open(): number {
    return this.#duties?.open() ?? this.#parts.ledger.inStates(this.chain, PROMISED_STATES).length;
  }

  overdue(): Readonly<Record<Stage, number>> {
    return this.#duties?.overdue() ?? { post: 0, reveal: 0, settle: 0 };
  }

  onSettled(listener: (guid: Guid) => void): () => void {
    this.#settledListeners.add(listener);
    return () => this.#settledListeners.delete(listener);
  }

  ledgerWritable(): boolean {
    return this.#duties?.ledgerWritable() ?? true;
  }

  refreshMetrics(metrics: ProducerMetrics): void {
    const { chain, market, deprecation } = this;
    metrics.marketConnected.set({ market: chain }, market.connected() ? 1 : 0);
    if (market.headKnown()) metrics.headBlock.set({ market: chain }, market.head());
    metrics.marketDeprecated.set({ market: chain }, deprecation.active() ? 1 : 0);
    metrics.dutiesOpen.set({ market: chain }, this.open());
    metrics.dutiesFailing.set({ market: chain }, this.#duties?.failing() ?? 0);
    const late = this.overdue();
    for (const duty of STAGES) metrics.dutiesOverdue.set({ market: chain, duty }, late[duty]);
    metrics.requestsInFlight.set({ market: chain }, market.inFlight());
  }

  async stop(): Promise<void> {
    this.market.leave();
    await Promise.all([this.#duties?.stop(), this.#nonceHoles?.stop(), this.#chainBack?.stop()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // After a stop that took too long a duty may still be under way: nothing more is begun.
    void this.#duties?.stop();
    void this.#nonceHoles?.stop();
    void this.#chainBack?.stop();
    await this.market[Symbol.asyncDispose]();
    this.#listening.dispose();
  }

  async #keep(signal: AbortSignal): Promise<Kept> {
    const { chain, market } = this;
    const { ledger, clock, tell } = this.#parts;
    await market.reached(signal);
    const unrevealed = ledger.inStates(chain, ["asserted"]).map(({ bounty }) => bounty.expiration);
    const patienceMs = resendPatienceMs(unrevealed, market.parameters().revealWindow, market.head());
    const enough = AbortSignal.any([signal, timeoutSignal(patienceMs)]);
    await Promise.race([resendSigned({ market, ledger, tell }, signal), aborted(enough)]);
    const { revealWindow } = market.parameters();
    if (!canStillReveal(unrevealed, revealWindow, market.head()))
      await writeOffIfAnew({ market, ledger, tell }, looks(signal)).catch(() => undefined);
    signal.throwIfAborted();
    const blocks = createBlockClock(market.head(), clock.now());
    this.#listening.defer(market.on("block", ({ number }) => blocks.observe(number, clock.now())));
    const duties = this.#openDuties();
    return { duties, blocks, promised: duties.resume() };
  }

  #openDuties(): Duties {
    const { market, reservations, deprecation } = this;
    const { config, ledger, clock, tell, may } = this.#parts;
    const duties = new Duties({
      market,
      ledger,
      reservations,
      clock,
      tell,
      onSettled: (guid) => {
        for (const listener of this.#settledListeners) listener(guid);
      },
      deprecation,
      // Nothing new is staked before the gateway has said which contracts it works with.
      may: (duty) => (this.#isStarted || duty !== "post") && may(duty),
      feeCeiling: config.maxFee,
    });
    const nonceHoles = new NonceHoles({ market, ledger, tell });
    const chainBack = new ChainBack({ market, ledger, tell, resume: () => duties.resume() });
    for (const hearing of [duties, nonceHoles, chainBack]) this.#listening.use(hearing.listen());
    this.#duties = duties;
    this.#nonceHoles = nonceHoles;
    this.#chainBack = chainBack;
    return duties;
  }
}

/** Both looks have time of their own, whatever handing over took. */
function looks(signal: AbortSignal): LookDeadlines {
  const within = (ms: number) => AbortSignal.any([signal, timeoutSignal(ms)]);
  return { first: within(RESEND_MS), second: within(RESEND_MS + SECOND_LOOK_MS) };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** The same signer, telling each time it was handed something that was not asked for. */
const counting = (signer: Signer, refused: () => void): Signer => ({
  address: signer.address,
  async sign(...asked) {
    try {
      return await signer.sign(...asked);
    } catch (error) {
      if (error instanceof Fault && error.code === "TRANSACTION_REFUSED") refused();
      throw error;
    }
  },
});

/** Whether a reveal is due and in time: then nothing is looked into first. On a chain that began anew it seldom seems so. */
export const canStillReveal = (expirations: readonly number[], revealWindow: number, head: number): boolean =>
  expirations.some(
    (expiration) =>
      revealIsDue(expiration, revealWindow, head) && inTimeToReveal(expiration, revealWindow, head),
  );

/** How long a start waits for what an earlier run signed, by the blocks in which the unrevealed bounties expire. */
export const resendPatienceMs = (
  expirations: readonly number[],
  revealWindow: number,
  head: number,
): number =>
  expirations.some((expiration) => revealIsDue(expiration, revealWindow, head))
    ? RESEND_WHEN_DUE_MS
    : RESEND_MS;
