import type { BidStrategy } from "../../bid/contract.ts";
import type { ProducerConfig } from "../../config/commands/producer.ts";
import { RECOVERY_DEFAULTS } from "../../config/commands/recover.ts";
import type { Testimony } from "../../distill/contract.ts";
import { block, type ChainName, type Clock, type Instant } from "../../domain/chain.ts";
import type { Fault } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { commitment } from "../../market/onchain/settlement/record/commitment.ts";
import type { Marketplace } from "../../market/onchain/port/marketplace.ts";
import type { ProcessLog } from "../../observe/log.ts";
import { nctNumber } from "../../observe/metrics.ts";
import type { ProducerMetrics } from "../../observe/producer-metrics.ts";
import type { ScanQueue } from "../../queue/port.ts";
import type { TriageRules } from "../../triage/triage.ts";
import type { ArtifactRate } from "../answering/artifact-rate.ts";
import { BountiesInWork } from "../answering/bounties-in-work.ts";
import type { Collector } from "../answering/collector.ts";
import type { LearnedDistiller } from "../answering/learned-distiller.ts";
import { awaitServed } from "../answering/served-backends.ts";
import { watchContracts } from "../../market/onchain/chain/contracts-watch.ts";
import { Backfill } from "../discovery/backfill.ts";
import type { Duties } from "../duties/duties.ts";
import type { Tell } from "../events/events.ts";
import type { ChainMoney } from "../funds/limit-metrics.ts";
import type { Limiter } from "../funds/limiter.ts";
import { tellRecoverLog } from "../../market/onchain/recovery/events.ts";
import { type LostStakeSearch, openLostStakeSearch } from "../../market/onchain/recovery/lost-stake-search.ts";
import type { RecoveryParts } from "../../market/onchain/recovery/recover-bounty.ts";
import { rescan, rescanUntil } from "../recover/rescan.ts";
import type { ChainPromises } from "./chain-promises.ts";

/** What the engines of all chains share. */
export interface ChainEngineParts {
  readonly config: ProducerConfig;
  readonly ledger: Ledger;
  readonly queue: ScanQueue;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly log: ProcessLog;
  readonly metrics: ProducerMetrics;
  readonly rules: TriageRules;
  readonly strategy: BidStrategy;
  readonly limiter: Limiter;
  readonly artifactRate: Pick<ArtifactRate, "take">;
  readonly distiller: LearnedDistiller;
  /** Of microengine. */
  readonly version: string;
}

/** Everything that answers on one chain, beside what keeps the promises there. */
export interface ChainEngine {
  readonly chain: ChainName;
  /** Resolves when this engine must not go on, with what the operator has to know. */
  readonly broken: Promise<Fault>;
  /** Bounties in work that are not promised yet. */
  inFlight(): number;
  /** Takes up what an earlier run left, and listens. */
  begin(): void;
  /** Takes nothing new; what keeps the promises goes on. */
  stop(): Promise<void>;
  /** What may still be promised, once the balance was read, and what an assertion costs now. */
  money(): ChainMoney;
  refreshMetrics(): void;
}

/** Embedded consumers that have not begun to serve by then are told of as missing. */
const CONSUMERS_WAIT_MS = 30_000;

/** What is there when a chain's marketplace was joined, and its duties are under way. */
interface Joined {
  readonly market: Marketplace;
  readonly duties: Duties;
  /** The nonce of our commitment on a bounty. */
  readonly nonceFor: (guid: Guid) => bigint;
  readonly instantOf: (block: number) => Instant;
}

/** Joins the chain's marketplace; resolves when its parameters and newest block are known, and the duties are under way. */
export async function openChainEngine(
  promises: ChainPromises,
  parts: ChainEngineParts,
  signal: AbortSignal,
): Promise<ChainEngine> {
  const { ledger, clock, tell, limiter } = parts;
  const { chain, wallet, deprecation, market } = promises;
  // What is opened here may be given up, and opened anew, many times while the marketplace stays: it leaves no listener there.
  using scope = new DisposableStack();
  const pins = await promises.start(signal);
  deprecation.reread();
  const { chainId, registry } = pins;
  const broken = Promise.withResolvers<Fault>();
  scope.defer(watchContracts({ market, pins, clock, signal }, broken.resolve));
  const { duties, blocks, promised } = await promises.kept;

  // A stop-loss is told of when it trips or is released, not only when the next bounty comes.
  scope.defer(market.on("block", () => void limiter.paused()));
  const joined: Joined = {
    market,
    duties,
    nonceFor: (guid) => wallet.commitmentNonce({ chainName: chain, chainId, registry, guid }),
    instantOf: (number) => blocks.instantOf(block(number)),
  };
  const recovery = recoveryParts(joined, parts);
  const lostStakes = await openLostStakeSearch({ recovery, duties }, signal);
  const inWork = bountiesInWork(promises, parts, { ...joined, lostStakes });
  scope.use(inWork.listen());
  const backfill = new Backfill({ market, ledger, inWork, deprecation, limiter, tell });
  return new OpenedChainEngine({
    promises,
    parts,
    market,
    inWork,
    backfill,
    lostStakes,
    promised,
    broken: broken.promise,
    listening: scope.move(),
    signal,
  });
}

function recoveryParts(joined: Joined, parts: ChainEngineParts): Omit<RecoveryParts, "leave"> {
  const { ledger, clock, log, rules, queue, collector, distiller, version } = parts;
  const { market, nonceFor, instantOf } = joined;
  const scanning = {
    queue,
    collector,
    backends: backendsOf(rules),
    distill: (testimony: Testimony) => distiller.distill(testimony),
    clock,
    maxSizeBytes: rules.maxSizeBytes,
  };
  return {
    market,
    ledger,
    clock,
    nonceFor,
    instantOf,
    version,
    tries: RECOVERY_DEFAULTS.tries,
    tell: tellRecoverLog(log),
    async rescan(bounty, mask, before, signal) {
      const until = rescanUntil(clock.now(), RECOVERY_DEFAULTS.rescanSeconds, before);
      // What is known without the scanners is tried all the same.
      return rescan(scanning, { bounty, mask, until }, signal).catch(() => undefined);
    },
  };
}

function bountiesInWork(
  { wallet, reservations, deprecation }: ChainPromises,
  parts: ChainEngineParts,
  joined: Joined & { readonly lostStakes: LostStakeSearch | undefined },
): BountiesInWork {
  const { config, ledger, queue, collector, clock, tell, rules, strategy, limiter, version } = parts;
  const { market, duties, nonceFor, instantOf, lostStakes } = joined;
  return new BountiesInWork({
    market,
    ledger,
    queue,
    collector,
    duties,
    deprecation,
    reservations,
    limiter,
    clock,
    tell,
    rules,
    strategy,
    version,
    modifiers: config.confidence,
    artifactRate: parts.artifactRate,
    distill: (testimony) => parts.distiller.distill(testimony),
    seal: (guid, verdicts) => {
      const nonce = nonceFor(guid);
      return { nonce, commitment: commitment(wallet.address, verdicts, nonce) };
    },
    instantOf,
    lostStakes,
  });
}

const backendsOf = ({ backends }: TriageRules): readonly string[] => backends.map(({ name }) => name);

interface OpenedParts {
  readonly promises: ChainPromises;
  readonly parts: ChainEngineParts;
  readonly market: Marketplace;
  readonly inWork: BountiesInWork;
  readonly backfill: Backfill;
  readonly lostStakes: LostStakeSearch | undefined;
  /** How many bounties the duties began with. */
  readonly promised: number;
  readonly broken: Promise<Fault>;
  /** Ends what the engine hears of the marketplace. */
  readonly listening: Disposable;
  readonly signal: AbortSignal;
}

class OpenedChainEngine implements ChainEngine {
  readonly chain: ChainName;
  readonly broken: Promise<Fault>;
  readonly #opened: OpenedParts;
  #searching: Promise<void> | undefined;

  constructor(opened: OpenedParts) {
    this.#opened = opened;
    this.chain = opened.promises.chain;
    this.broken = opened.broken;
  }

  inFlight(): number {
    return this.#opened.inWork.inFlight();
  }

  begin(): void {
    const { lostStakes, inWork, backfill, signal } = this.#opened;
    if (lostStakes === undefined) {
      this.#release();
      backfill.begin();
      return;
    }
    this.#searching = lostStakes.run(
      {
        has: (guid) => inWork.has(guid),
        hear: (notice) => inWork.hear(notice),
        release: () => this.#release(),
        open: () => backfill.begin(),
      },
      signal,
    );
  }

  async stop(): Promise<void> {
    const { backfill, inWork, listening } = this.#opened;
    await this.#searching;
    await backfill.stop();
    await inWork.stop();
    listening[Symbol.dispose]();
  }

  money(): ChainMoney {
    const { promises, market } = this.#opened;
    const { chain, reservations } = promises;
    const available = reservations.lastBalance() === undefined ? undefined : reservations.available();
    return { market: chain, available, fee: market.parameters().assertionFee };
  }

  refreshMetrics(): void {
    const { promises, parts } = this.#opened;
    const balance = promises.reservations.lastBalance();
    if (balance !== undefined) parts.metrics.balanceNct.set({ market: this.chain }, nctNumber(balance));
  }

  /** Bounties that were posted after the start are answered from now on. */
  #release(): void {
    const { promises, parts, inWork, promised, signal } = this.#opened;
    const { config, queue, rules, tell } = parts;
    const unpromised = inWork.resume();
    for (const notice of promises.takeEarly()) inWork.hear(notice);
    if (promised + unpromised > 0) tell("producer.resumed", { market: this.chain, promised, unpromised });
    // Bounties are heard of and what was promised is kept meanwhile.
    const waitMs = config.embedded > 0 ? CONSUMERS_WAIT_MS : 0;
    void awaitServed(queue, backendsOf(rules), { waitMs, signal }).then((unserved) => {
      if (!signal.aborted) this.#tellReady(unserved);
    });
  }

  #tellReady(unserved: readonly string[]): void {
    const { promises, parts, market } = this.#opened;
    parts.tell("producer.ready", {
      account: promises.wallet.address,
      market: this.chain,
      head: market.head(),
      backends: backendsOf(parts.rules),
      unserved,
      strategy: parts.strategy.name,
      deprecated: promises.deprecation.active(),
    });
  }
}
