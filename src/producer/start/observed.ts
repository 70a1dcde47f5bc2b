import type { ProducerConfig } from "../../config/commands/producer.ts";
import type { Nct } from "../../domain/nct.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { EmbeddedMetrics } from "../../observe/embedded-metrics.ts";
import { type Health, type HealthServer, healthCheck, serveHealth } from "../../observe/health.ts";
import type { Logger } from "../../observe/log.ts";
import { LoopWatch } from "../../observe/loop-watch.ts";
import { createRegistry, nctNumber } from "../../observe/metrics.ts";
import { type ProducerMetrics, producerMetrics } from "../../observe/producer-metrics.ts";
import type { EarlyCounts } from "../events/early-counts.ts";
import { countEvents } from "../events/event-metrics.ts";
import type { RelayEvents } from "../events/relay-events.ts";
import { marketCheck } from "../process/market-check.ts";
import type { Standing } from "../process/standing.ts";
import type { MarketPromises } from "./market-promises.ts";
import type { Answering } from "./open-answering.ts";

interface ObservedParts {
  readonly config: Pick<ProducerConfig, "httpHost" | "httpPort">;
  readonly log: Logger;
  readonly ledger: Pick<Ledger, "summary">;
  readonly markets: readonly MarketPromises[];
  readonly standing: () => Standing;
  /** Staked on all marketplaces, and not settled. */
  readonly atRisk: () => Nct;
}

/** How far the producer is with answering bounties. */
interface AnsweringState {
  /** Undefined until bounties are answered. */
  answering(): Answering | undefined;
  /** What went wrong at the last try. */
  trouble(): string | undefined;
}

const APART =
  "the wallet's lease is not ours: nothing new is promised; what was promised is revealed and settled";

/** What shows the producer to others: metrics and health. It is loaded after what is due. */
export class ObservedProducer implements Disposable {
  readonly metrics: ProducerMetrics;
  readonly consumers = new EmbeddedMetrics();
  readonly #parts: ObservedParts;
  readonly #registry = createRegistry("producer");
  readonly #loop: LoopWatch;

  constructor(parts: ObservedParts) {
    this.#parts = parts;
    this.metrics = producerMetrics(this.#registry);
    this.#loop = new LoopWatch({ registry: this.#registry, log: parts.log });
  }

  /** Counts what was told so far, and what is told from now on. */
  count(relay: RelayEvents, early: EarlyCounts): void {
    const { metrics } = this;
    relay.count(countEvents(metrics));
    early.begin(metrics);
    // The ledger's sum has in it what was settled so far: it takes the place of what was counted of that.
    metrics.profitNct.set(nctNumber(this.#parts.ledger.summary().profit));
  }

  /** Throws ConfigFault when the address cannot be served on. */
  serve(state: AnsweringState): Promise<HealthServer> {
    const { config, log } = this.#parts;
    return serveHealth({
      host: config.httpHost,
      port: config.httpPort,
      log,
      metrics: this.#registry,
      others: () => this.consumers.text(this.#registry),
      live: () => ({ process: { ok: true }, loop: this.#loop.health() }),
      ready: () => this.#ready(state),
      refresh: () => this.#refresh(state),
    });
  }

  [Symbol.dispose](): void {
    this.#loop[Symbol.dispose]();
  }

  #ready(state: AnsweringState): Health {
    const { markets, standing } = this.#parts;
    const answering = state.answering();
    return {
      ...(answering === undefined
        ? { answering: { ok: false, detail: state.trouble() ?? "starting" } }
        : { queue: healthCheck(answering.queueTrouble()), consumers: consumersHealth(answering.unserved()) }),
      ...(standing() === "apart" ? { lease: { ok: false, detail: APART } } : {}),
      ledger: { ok: markets.every((market) => market.ledgerWritable()) },
      ...Object.fromEntries(markets.map((market) => [`market-${market.id}`, marketHealth(market)])),
    };
  }

  async #refresh(state: AnsweringState): Promise<void> {
    const { metrics } = this;
    const { markets, atRisk } = this.#parts;
    for (const market of markets) market.refreshMetrics(metrics);
    metrics.atRiskNct.set(nctNumber(atRisk()));
    const answering = state.answering();
    if (answering === undefined) metrics.queueUp.set(0);
    else await answering.refreshMetrics();
  }
}

/** What is still to be confirmed counts against it: the market has time to say otherwise. */
function marketHealth(promises: MarketPromises): Health[string] {
  const { isConnected, isConfirmed } = promises.market.condition();
  return marketCheck({
    connected: isConnected && isConfirmed,
    deprecated: promises.market.refuses() === "deprecated",
    overdue: promises.overdue(),
  });
}

/** Nothing that was promised depends on consumers; a bounty that is posted now does. */
const consumersHealth = (missing: readonly string[]): Health[string] =>
  missing.length === 0 ? { ok: true } : { ok: false, detail: `no consumer serves ${missing.join(", ")}` };
