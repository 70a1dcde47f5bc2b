import { setTimeout as sleep } from "node:timers/promises";
import type { BidStrategy } from "../../bid/contract.ts";
import type { ProducerConfig } from "../../config/commands/producer.ts";
import { RECOVERY_DEFAULTS } from "../../config/values/recovery-defaults.ts";
import type { Testimony } from "../../distill/contract.ts";
import type { Bounty, MarketId } from "../../domain/bounty.ts";
import { describeError, type Fault } from "../../domain/fault.ts";
import type { Clock } from "../../domain/instant.ts";
import type { Nct } from "../../domain/nct.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Market } from "../../market/port.ts";
import type { RescanArtifacts } from "../../market/recovery.ts";
import { nctNumber } from "../../observe/metrics.ts";
import type { ProducerMetrics } from "../../observe/producer-metrics.ts";
import type { ScanQueue } from "../../queue/port.ts";
import type { TriageRules } from "../../triage/triage.ts";
import type { ArtifactRate } from "../answering/artifact-rate.ts";
import { BountiesInWork } from "../answering/bounties-in-work.ts";
import type { Collector } from "../answering/collector.ts";
import type { LearnedDistiller } from "../answering/learned-distiller.ts";
import { awaitServed } from "../answering/served-backends.ts";
import { Backfill } from "../discovery/backfill.ts";
import type { Duties } from "../duties/duties.ts";
import type { Tell } from "../events/events.ts";
import type { MarketMoney } from "../funds/limit-metrics.ts";
import type { Limiter } from "../funds/limiter.ts";
import { rescan, rescanUntil } from "../recover/rescan.ts";
import type { MarketPromises } from "./market-promises.ts";

/** What the engines of all marketplaces share. */
export interface MarketEngineParts {
  readonly config: Pick<ProducerConfig, "embedded" | "confidence">;
  readonly ledger: Ledger;
  readonly queue: ScanQueue;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly metrics: ProducerMetrics;
  readonly rules: TriageRules;
  readonly strategy: BidStrategy;
  readonly limiter: Limiter;
  readonly artifactRate: Pick<ArtifactRate, "take">;
  readonly distiller: LearnedDistiller;
  /** Of microengine. */
  readonly version: string;
}

/** Embedded consumers that have not begun to serve by then are told of as missing. */
const CONSUMERS_WAIT_MS = 30_000;
const TRY_AGAIN_MS = 5_000;

/** Joins the marketplace; resolves when bounties may be answered there, and the duties are under way. */
export async function openMarketEngine(
  promises: MarketPromises,
  parts: MarketEngineParts,
  signal: AbortSignal,
): Promise<MarketEngine> {
  await promises.join(signal);
  const { duties, promised } = await promises.kept;
  return new MarketEngine({ promises, parts, duties, promised, signal });
}

interface EngineParts {
  readonly promises: MarketPromises;
  readonly parts: MarketEngineParts;
  readonly duties: Duties;
  /** How many bounties the duties began with. */
  readonly promised: number;
  readonly signal: AbortSignal;
}

/** Everything that answers on one marketplace, beside what keeps the promises there. */
export class MarketEngine {
  readonly id: MarketId;
  /** Resolves when this engine must not go on, with what the operator has to know. */
  readonly broken: Promise<Fault>;
  readonly #opened: EngineParts;
  readonly #inWork: BountiesInWork;
  readonly #backfill: Backfill | undefined;
  readonly #listening = new DisposableStack();
  readonly #stop = new AbortController();
  /** Aborts when this engine or the producer ends. */
  readonly #ended: AbortSignal;
  #beginning: Promise<void> | undefined;

  constructor(opened: EngineParts) {
    const { promises, parts, duties } = opened;
    const { ledger, queue, collector, clock, tell, rules, strategy, limiter, artifactRate, version } = parts;
    const { market, reservations } = promises;
    this.id = promises.id;
    this.broken = market.broken;
    this.#ended = AbortSignal.any([opened.signal, this.#stop.signal]);
    this.#opened = opened;
    this.#inWork = new BountiesInWork({
      market,
      ledger,
      queue,
      collector,
      duties,
      reservations,
      limiter,
      clock,
      tell,
      rules,
      strategy,
      version,
      modifiers: parts.config.confidence,
      artifactRate,
      distill: (testimony) => parts.distiller.distill(testimony),
    });
    const { list } = market;
    this.#backfill =
      list && new Backfill({ market, list, ledger, clock, inWork: this.#inWork, limiter, tell });
  }

  /** Bounties in work that are not promised yet. */
  inFlight(): number {
    return this.#inWork.inFlight();
  }

  /** Takes up what an earlier run left, and listens. */
  begin(): void {
    const { promises, parts } = this.#opened;
    const { market } = promises;
    // A stop-loss is told of when it trips or is released, not only when the next bounty comes.
    this.#listening.defer(market.on("moved", () => void parts.limiter.paused()));
    this.#listening.use(this.#inWork.listen());
    const intake = {
      has: (guid) => this.#inWork.has(guid),
      hear: (notice) => this.#inWork.hear(notice),
      release: () => void this.#takeUp(),
      open: () => this.#backfill?.begin(),
    } satisfies Parameters<typeof market.begin>[0];
    this.#beginning = market.begin(intake, rescanning(parts, market), this.#ended);
  }

  /** Takes nothing new; what keeps the promises goes on. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#beginning;
    await this.#backfill?.stop();
    await this.#inWork.stop();
    this.#listening.dispose();
  }

  /** What may still be promised, once the balance was read, and what an assertion costs now. */
  money(): MarketMoney {
    const { market, reservations } = this.#opened.promises;
    const available = this.#balance() === undefined ? undefined : reservations.available();
    return { market: this.id, available, fee: market.terms().fee };
  }

  refreshMetrics(): void {
    const { parts } = this.#opened;
    const balance = this.#balance();
    if (balance !== undefined) parts.metrics.balanceNct.set({ market: this.id }, nctNumber(balance));
  }

  /** As it was last read; undefined also where there is no stake, for a balance of 0 would alarm. */
  #balance(): Nct | undefined {
    const { market, reservations } = this.#opened.promises;
    return market.balance === undefined ? undefined : reservations.lastBalance();
  }

  /** Bounties that were posted after the start are answered from now on; what keeps the earlier ones away is told, and tried again. */
  async #takeUp(): Promise<void> {
    const { promises, parts } = this.#opened;
    let told: string | undefined;
    while (!this.#ended.aborted) {
      try {
        this.#release();
        return;
      } catch (error) {
        const reason = describeError(error);
        if (reason !== told) parts.tell("producer.not-answering", { reason, promised: promises.open() });
        told = reason;
      }
      await sleep(TRY_AGAIN_MS, undefined, { signal: this.#ended }).catch(() => undefined);
    }
  }

  #release(): void {
    const { parts, promised } = this.#opened;
    const { config, queue, rules, tell } = parts;
    const unpromised = this.#inWork.resume();
    if (promised + unpromised > 0) tell("producer.resumed", { market: this.id, promised, unpromised });
    // Bounties are heard of and what was promised is kept meanwhile.
    const waitMs = config.embedded > 0 ? CONSUMERS_WAIT_MS : 0;
    const signal = this.#ended;
    void awaitServed(queue, backendsOf(rules), { waitMs, signal }).then((unserved) => {
      if (!signal.aborted) this.#tellReady(unserved);
    });
  }

  #tellReady(unserved: readonly string[]): void {
    const { promises, parts } = this.#opened;
    const { market } = promises;
    parts.tell("producer.ready", {
      account: market.account,
      market: this.id,
      moment: market.condition().moment ?? 0,
      backends: backendsOf(parts.rules),
      unserved,
      strategy: parts.strategy.name,
      deprecated: market.refuses() === "deprecated",
    });
  }
}

/** Has artifacts scanned anew, for as long as a start has time for it. */
function rescanning(parts: MarketEngineParts, market: Pick<Market, "artifact">): RescanArtifacts {
  const { queue, collector, distiller, clock, rules } = parts;
  const scanning = {
    queue,
    collector,
    backends: backendsOf(rules),
    distill: (testimony: Testimony) => distiller.distill(testimony),
    clock,
    maxSizeBytes: rules.maxSizeBytes,
  };
  const reference = (of: Bounty, index: number) => market.artifact(of, index);
  return async (bounty, mask, before, signal) => {
    const until = rescanUntil(clock.now(), RECOVERY_DEFAULTS.rescanSeconds, before);
    // What is known without the scanners is tried all the same.
    return rescan(scanning, { bounty, mask, until, reference }, signal).catch(() => undefined);
  };
}

const backendsOf = ({ backends }: TriageRules): readonly string[] => backends.map(({ name }) => name);
