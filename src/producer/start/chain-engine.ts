import type { BidStrategy } from "../../bid/contract.ts";
import type { ProducerConfig } from "../../config/commands/producer.ts";
import { RECOVERY_DEFAULTS } from "../../config/commands/recover.ts";
import type { Testimony } from "../../distill/contract.ts";
import { block, type ChainName, type Clock } from "../../domain/chain.ts";
import type { Fault } from "../../domain/fault.ts";
import type { Guid } from "../../domain/guid.ts";

import type { Ledger } from "../../ledger/ledger.ts";
import { commitment } from "../../market/onchain/commitment.ts";
import { scoped } from "../../market/scoped.ts";
import type { Logger } from "../../observe/log.ts";
import { nctNumber } from "../../observe/metrics.ts";
import type { ProducerMetrics } from "../../observe/producer-metrics.ts";
import type { ScanQueue } from "../../queue/port.ts";
import type { TriageRules } from "../../triage/triage.ts";
import type { ArtifactRate } from "../answering/artifact-rate.ts";
import { BountiesInWork } from "../answering/bounties-in-work.ts";
import type { Collector } from "../answering/collector.ts";
import type { LearnedDistiller } from "../answering/learned-distiller.ts";
import { awaitServed } from "../answering/served-backends.ts";
import { watchContracts } from "../chain/contracts-watch.ts";
import { Backfill } from "../discovery/backfill.ts";
import type { Tell } from "../events/events.ts";
import type { ChainMoney } from "../funds/limit-metrics.ts";
import type { Limiter } from "../funds/limiter.ts";
import { tellRecoverLog } from "../recover/events.ts";
import { openLostStakeSearch } from "../recover/lost-stake-search.ts";
import { rescan, rescanUntil } from "../recover/verdict-search/rescan.ts";
import type { ChainPromises } from "./chain-promises.ts";

/** What the engines of all chains share. */
export interface ChainEngineParts {
  readonly config: ProducerConfig;
  readonly ledger: Ledger;
  readonly queue: ScanQueue;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly log: Logger;
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

/** Joins the chain's marketplace; resolves when its parameters and newest block are known, and the duties are under way. */
export async function openChainEngine(
  promises: ChainPromises,
  parts: ChainEngineParts,
  signal: AbortSignal,
): Promise<ChainEngine> {
  const { config, ledger, queue, collector, clock, tell, log, metrics, rules, strategy, limiter, version } =
    parts;
  const { distiller } = parts;
  const { chain, wallet, reservations, deprecation } = promises;
  // What is opened here may be given up, and opened anew, many times while the marketplace stays.
  using scope = new DisposableStack();
  const { market } = scope.use(scoped(promises.market));
  const pins = await promises.start(signal);
  deprecation.reread();
  const { chainId, registry } = pins;
  const broken = Promise.withResolvers<Fault>();
  watchContracts({ market, pins, clock, signal }, broken.resolve);
  const { duties, blocks, promised } = await promises.kept;

  // A stop-loss is told of when it trips or is released, not only when the next bounty comes.
  market.on("block", () => void limiter.paused());
  const nonceFor = (guid: Guid) => wallet.commitmentNonce({ chainName: chain, chainId, registry, guid });
  const instantOf = (number: number) => blocks.instantOf(block(number));
  const backends = rules.backends.map(({ name }) => name);
  const lostStakes = await openLostStakeSearch(
    {
      recovery: {
        market,
        ledger,
        clock,
        nonceFor,
        instantOf,
        version,
        tries: RECOVERY_DEFAULTS.tries,
        tell: tellRecoverLog(log),
        async rescan(bounty, mask, before, until) {
          const { maxSizeBytes } = rules;
          const distill = (testimony: Testimony) => distiller.distill(testimony);
          const scanning = { queue, collector, backends, distill, clock, maxSizeBytes };
          const deadline = rescanUntil(clock.now(), RECOVERY_DEFAULTS.rescanSeconds, before);
          // What is known without the scanners is tried all the same.
          return rescan(scanning, bounty, mask, deadline, until).catch(() => undefined);
        },
      },
      duties,
    },
    signal,
  );
  const inWork = new BountiesInWork({
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
    distill: (testimony) => distiller.distill(testimony),
    seal: (guid, verdicts) => {
      const nonce = nonceFor(guid);
      return { nonce, commitment: commitment(wallet.address, verdicts, nonce) };
    },
    instantOf,
    lostStakes: lostStakes,
  });
  const backfill = new Backfill({ market, ledger, inWork, deprecation, limiter, tell });

  const listening = scope.move();
  let searching: Promise<void> | undefined;
  const release = (): void => {
    const unpromised = inWork.resume();
    const early = promises.takeEarly();
    for (const notice of early) inWork.hear(notice);
    if (promised + unpromised > 0) tell("producer.resumed", { chain, promised, unpromised });
    // Bounties are heard of and what was promised is kept meanwhile.
    const waitMs = config.embedded > 0 ? CONSUMERS_WAIT_MS : 0;
    void awaitServed(queue, backends, { waitMs, signal }).then((missing) => {
      if (signal.aborted) return;
      tell("producer.ready", {
        account: wallet.address,
        chain,
        head: market.head(),
        backends,
        unserved: missing,
        strategy: strategy.name,
        deprecated: deprecation.active(),
      });
    });
  };

  return {
    chain,
    broken: broken.promise,
    inFlight: () => inWork.inFlight(),
    begin() {
      if (lostStakes === undefined) {
        release();
        backfill.begin();
        return;
      }
      searching = lostStakes.run(
        {
          has: (guid) => inWork.has(guid),
          hear: (notice) => inWork.hear(notice),
          release,
          open: () => backfill.begin(),
        },
        signal,
      );
    },
    async stop() {
      await searching;
      await backfill.stop();
      await inWork.stop();
      listening.dispose();
    },
    money: () => ({
      chain,
      available: reservations.lastBalance() === undefined ? undefined : reservations.available(),
      fee: market.parameters().assertionFee,
    }),
    refreshMetrics() {
      const balance = reservations.lastBalance();
      if (balance !== undefined) metrics.balanceNct.set({ chain }, nctNumber(balance));
    },
  };
}
