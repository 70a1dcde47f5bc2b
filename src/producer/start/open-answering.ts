/**
 * What answers bounties: queue, distillation, limits and an engine for each marketplace, beside what keeps the promises. Opened
 * when the wallet's lease is ours; whatever is wrong with it keeps the producer from answering, not from revealing.
 */
import type { ProducerConfig } from "../../config/commands/producer.ts";
import { type Clock, systemClock } from "../../domain/instant.ts";
import type { ScanAnswer } from "../../domain/scan.ts";
import { silenceBy } from "../../domain/silence.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { EmbeddedMetrics } from "../../observe/embedded-metrics.ts";
import { nctNumber } from "../../observe/metrics.ts";
import type { ProcessIo } from "../../observe/process-io.ts";
import { type ProducerMetrics, setBacklog } from "../../observe/producer-metrics.ts";
import type { ScanQueue } from "../../queue/port.ts";
import type { Seal } from "../../redis/seal.ts";
import { openArtifactRate } from "../answering/artifact-rate.ts";
import { Collector } from "../answering/collector.ts";
import { LearnedDistiller } from "../answering/learned-distiller.ts";
import { servedChanges, unserved } from "../answering/served-backends.ts";
import type { ProducerEvents, Tell } from "../events/events.ts";
import type { RelayEvents } from "../events/relay-events.ts";
import { showLimits } from "../funds/limit-metrics.ts";
import { describeLimits, Limiter, limitsOf } from "../funds/limiter.ts";
import { RollingWindow } from "../funds/rolling-window.ts";
import { openEach } from "../process/each-market.ts";
import { openScanQueue } from "../process/scan-queue.ts";
import { type MarketEngine, openMarketEngine } from "./market-engine.ts";
import type { MarketPromises } from "./market-promises.ts";
import type { Prepared } from "./prepare.ts";

export interface AnsweringParts {
  readonly config: ProducerConfig;
  readonly io: ProcessIo;
  readonly ledger: Ledger;
  readonly metrics: ProducerMetrics;
  readonly relay: RelayEvents;
  readonly prepared: Prepared;
  readonly seal: Seal;
  readonly markets: readonly MarketPromises[];
  /** Whether the wallet's lease is ours. */
  readonly leased: () => boolean;
  /** Of microengine. */
  readonly version: string;
  /** Aborts when the producer ends. */
  readonly end: AbortSignal;
  /** Hears what embedded consumers count. */
  readonly consumers: EmbeddedMetrics;
}

export interface Answering extends AsyncDisposable {
  readonly engines: readonly MarketEngine[];
  /** Why the queue cannot be used; undefined when it can. */
  queueTrouble(): string | undefined;
  /** Backends that no consumer takes jobs of. */
  unserved(): readonly string[];
  begin(): void;
  refreshMetrics(): Promise<void>;
}

const SERVED_EVERY_MS = 1_000;

/** Throws ConfigFault for what the operator can correct, and whatever keeps the gateway or Redis from working. */
export async function openAnswering(parts: AnsweringParts): Promise<Answering> {
  const { config, io, ledger, metrics, relay, prepared, markets, end } = parts;
  const { tell } = relay;
  const clock: Clock = systemClock;
  const { strategy, engine, rules } = prepared;
  await using opening = new AsyncDisposableStack();
  const queue = opening.use(await openQueue(parts));
  const artifactRate = opening.use(await openArtifactRate(config, { log: io.log, signal: end }));
  const collector = new Collector(queue, clock, (answer) => tell("artifact.answered", answeredFacts(answer)));
  opening.use(collector.listen());
  const limits = limitsOf(config);
  const steadyMs = () => performance.now();
  const limiter = new Limiter({
    limits,
    stopLossWindowHours: config.stopLossWindow,
    ledger,
    tell,
    steadyMs,
    rollingWindow: new RollingWindow(clock, steadyMs),
    leased: parts.leased,
  });
  const distiller = new LearnedDistiller({ engine, silence: silenceBy(config.benign), ledger, tell });
  for (const promises of markets)
    opening.defer(promises.onSettled((guid) => distiller.learnFrom({ market: promises.id, guid })));
  const shared = {
    config,
    ledger,
    queue,
    collector,
    clock,
    tell,
    metrics,
    rules,
    strategy,
    limiter,
    artifactRate,
    distiller,
    version: parts.version,
  };
  const engines: MarketEngine[] = [];
  opening.defer(async () => void (await Promise.all(engines.map((one) => one.stop()))));
  // Each is answered as soon as it is there: one that cannot be reached keeps nothing from the others.
  const open = async (promises: MarketPromises): Promise<void> => {
    const engine = await openMarketEngine(promises, shared, end);
    if (engines.length === 0) tell("producer.limits", describeLimits(limits));
    engines.push(engine);
    engine.begin();
  };
  await openEach(markets, open, end);
  const backends = rules.backends.map(({ name }) => name);
  const opened = opening.move();
  return {
    engines,
    queueTrouble: () => queue.trouble(),
    unserved: () => unserved(backends, queue.served()),
    begin() {
      opened.use(watchServed(backends, queue, tell));
    },
    async refreshMetrics() {
      for (const one of engines) one.refreshMetrics();
      showLimits(
        metrics,
        limits,
        limiter,
        engines.map((one) => one.money()),
      );
      metrics.atRiskNct.set(nctNumber(markets.reduce((sum, { id }) => sum + ledger.atRisk(id), 0n)));
      metrics.queueUp.set(queue.healthy() ? 1 : 0);
      setBacklog(metrics, await queue.backlog());
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const answeredFacts = (answer: ScanAnswer): ProducerEvents["artifact.answered"] => ({
  guid: answer.guid,
  artifact: answer.artifactIndex,
  backend: answer.backend,
  verdict: answer.verdict,
  confidence: answer.confidence,
  ...(answer.reason === undefined ? {} : { why: answer.reason }),
  scanMs: answer.timings.scanMs,
});

/** Tells of backends that consumers begin or cease to serve, until it is disposed of. */
function watchServed(backends: readonly string[], queue: ScanQueue, tell: Tell): Disposable {
  const look = servedChanges({
    backends,
    queue,
    onChange: (backend, now) => tell(now === "served" ? "backend.served" : "backend.unserved", { backend }),
  });
  const looking = setInterval(look, SERVED_EVERY_MS);
  looking.unref();
  look();
  return { [Symbol.dispose]: () => clearInterval(looking) };
}

const openQueue = ({
  config,
  io,
  metrics,
  prepared,
  seal,
  end,
  consumers,
}: AnsweringParts): Promise<ScanQueue> =>
  openScanQueue({
    config,
    io: { ...io, signal: end },
    backends: prepared.rules.backends.map(({ name }) => name),
    waitMs: config.wait * 1_000,
    seal: () => seal,
    onSpawned: (consumer) => consumers.follow(consumer),
    onForged: () => metrics.answersForged.inc(),
  });
