/**
 * Composition root of the producer, the only process that holds the wallet.
 *
 * Opened in this order: what can be wrong in the configuration first (strategy, backends, rules, keystore), then the
 * ledger and the wallet's lease, then what is reached over the network. Closed in reverse, so the ledger outlives all
 * who write in it, and the lease all who sign.
 * Stopping: no new bounties; those not yet promised are left for the next start; what is being posted, revealed or
 * settled is finished, within `--stop-timeout`; whatever is left then stands in the ledger. A producer that may not go on
 * stops in the same order, and then says why.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadBidStrategy } from "../bid/load.ts";
import { serveContracts } from "../config/contract-imports.ts";
import { processTerminal, readPassword } from "../config/password.ts";
import type { ProducerConfig } from "../config/producer.ts";
import { readQueueSecret } from "../config/queue-secret.ts";
import { loadDistillEngine } from "../distill/load.ts";
import type { Address } from "../domain/address.ts";
import { systemClock } from "../domain/chain.ts";
import { describeError } from "../domain/fault.ts";
import { parseGatewayAddress, refuseKeyOverHttp } from "../domain/gateway-address.ts";
import { formatNct } from "../domain/nct.ts";
import { silenceBy } from "../domain/silence.ts";
import { holdDataDir } from "../ledger/hold.ts";
import { openLedger } from "../ledger/ledger.ts";
import { checked, serveHealth } from "../observe/health.ts";
import { createRegistry, nctNumber } from "../observe/metrics.ts";
import type { ProcessIo } from "../observe/process-io.ts";
import { type ProducerMetrics, producerMetrics, setBacklog } from "../observe/producer-metrics.ts";
import { openBullmqQueue } from "../queue/bullmq-producer.ts";
import { openEmbeddedQueue } from "../queue/embedded-producer.ts";
import type { ScanQueue } from "../queue/port.ts";
import { parseRedisAddress } from "../queue/redis-address.ts";
import { createSeal, type Seal } from "../queue/seal.ts";
import { takeWalletLease, type WalletLease } from "../queue/wallet-lease.ts";
import { openKeystore } from "../wallet/keystore.ts";
import { openArtifactRate } from "./artifact-rate.ts";
import { readTriageRules } from "./backends.ts";
import { type ChainEngine, openChainEngine } from "./chain-engine.ts";
import { Collector } from "./collector.ts";
import { countEvents } from "./counted.ts";
import { spawnEmbeddedConsumer } from "./embedded-consumer.ts";
import { tellLog } from "./events.ts";
import { Judge } from "./judge.ts";
import { showLimits } from "./limit-metrics.ts";
import { describeLimits, Limiter, limitsOf } from "./limiter.ts";
import { LookBack } from "./look-back.ts";
import { refuseAmbiguousPins } from "./pins.ts";

/** The gateway answers for one chain what it said of another less than a second ago. */
const GATEWAY_CACHE_MS = 1_500;

/** Runs until the signal aborts; resolves to the exit code. Throws ConfigFault for what the operator can correct. */
export async function runProducer(config: ProducerConfig, io: ProcessIo): Promise<number> {
  try {
    await answerBounties(config, io);
  } catch (error) {
    // Whoever asks a producer to stop while it still waits for Redis or the marketplace wants no complaint.
    if (!io.signal.aborted) throw error;
  }
  return 0;
}

async function answerBounties(config: ProducerConfig, io: ProcessIo): Promise<void> {
  const { log, signal } = io;
  // Before anything is waited for, and before embedded consumers complain of the same.
  refuseKeyOverHttp(parseGatewayAddress(config.polyswarmdAddr), config.apiKey, {
    allowed: config.allowKeyOverHttp,
  });
  refuseAmbiguousPins(config);
  serveContracts();
  const strategy = await loadBidStrategy(config.bidStrategy);
  const engine = await loadDistillEngine(config.distill);
  const rules = await readTriageRules(config, log);
  const seal = createSeal(config.embedded > 0 ? undefined : await readQueueSecret(config));
  const { address: account, privateKey } = await openKeystore(config.keyfile, () =>
    readPassword(config, processTerminal(), signal),
  );
  const registry = createRegistry("producer");
  const metrics = producerMetrics(registry);
  const tell = tellLog(log, countEvents(metrics));
  const clock = systemClock;
  const halt = new AbortController();
  const end = AbortSignal.any([signal, halt.signal]);

  using held = holdDataDir(config.dataDir);
  using ledger = openLedger(join(config.dataDir, "ledger.sqlite"), clock);
  if (held.open)
    tell("data-dir.open", { folder: config.dataDir, hint: "Close it to all but its owner: chmod 700." });
  await using lease = await openLease(config, { account, place: held.place }, io);
  void lease?.lost.then((fault) => {
    tell("lease.lost", { account, reason: describeError(fault) });
    halt.abort(fault);
  });
  await using queue = await openQueue(
    config,
    rules.backends.map(({ name }) => name),
    { ...io, metrics, seal },
  );
  await using artifactRate = await openArtifactRate(config, io);
  const collector = new Collector(queue, clock, (answer) =>
    tell("artifact.answered", {
      guid: answer.guid,
      artifact: answer.artifactIndex,
      backend: answer.backend,
      verdict: answer.verdict,
      confidence: answer.confidence,
      ...(answer.reason === undefined ? {} : { why: answer.reason }),
      scanMs: answer.timings.scanMs,
    }),
  );
  metrics.profitNct.set(nctNumber(ledger.summary().profit));
  const atRisk = () => config.chains.reduce((sum, chain) => sum + ledger.atRisk(chain), 0n);
  const limits = limitsOf(config);
  tell("producer.limits", describeLimits(limits));
  const steadyMs = () => performance.now();
  const limiter = new Limiter({
    ...{ limits, stopLossWindowHours: config.stopLossWindow, ledger, tell, steadyMs },
    lookBack: new LookBack(clock, steadyMs),
  });
  const judge = new Judge({ engine, silence: silenceBy(config.benign), ledger });
  const version = readVersion();
  const parts = {
    config,
    privateKey,
    ledger,
    queue,
    collector,
    clock,
    tell,
    log,
    metrics,
    rules,
    strategy,
    limiter,
    artifactRate,
    judge,
    version,
  };
  await using opened = new AsyncDisposableStack();
  const engines: ChainEngine[] = [];
  for (const chain of config.chains) {
    if (engines.length > 0) await sleep(GATEWAY_CACHE_MS, undefined, { signal: end });
    const engine = opened.use(await openChainEngine(chain, parts, end));
    void engine.broken.then((fault) => halt.abort(fault));
    engines.push(engine);
  }
  await using _health = await serveHealth({
    host: config.httpHost,
    port: config.httpPort,
    log,
    metrics: registry,
    live: () => ({ process: { ok: true } }),
    ready: () => ({
      queue: checked(queue.trouble()),
      ledger: { ok: engines.every((engine) => engine.ledgerWritable()) },
      ...Object.fromEntries(engines.map((engine) => [`market-${engine.chain}`, marketHealth(engine)])),
    }),
    refresh: async () => {
      for (const engine of engines) engine.refreshMetrics();
      metrics.atRiskNct.set(nctNumber(atRisk()));
      const money = engines.map((engine) => engine.money());
      showLimits(metrics, limits, limiter, money);
      metrics.queueUp.set(queue.healthy() ? 1 : 0);
      setBacklog(metrics, await queue.backlog());
    },
  });
  for (const engine of engines) engine.begin();

  if (!end.aborted) await once(end, "abort");
  const { promised, unpromised } = sumUp(engines);
  tell("producer.stopping", { promised, unpromised, atRisk: formatNct(atRisk()) });
  const stopped = Promise.all(engines.map((engine) => engine.stop()));
  await Promise.race([stopped, sleep(config.stopTimeout * 1_000, undefined, { ref: false })]);
  tell("producer.stopped", { promised: sumUp(engines).promised, atRisk: formatNct(atRisk()) });
  halt.signal.throwIfAborted();
}

/** A deprecated market is well as long as what was promised on it can be kept. */
const marketHealth = (engine: ChainEngine) => ({
  ok: engine.connected(),
  ...(engine.deprecated() ? { detail: DEPRECATED } : {}),
});
const DEPRECATED = "deprecated: no new assertions; what was promised is revealed and settled";

/** What the engines of all chains have in hand. */
const sumUp = (engines: readonly ChainEngine[]) => ({
  promised: engines.reduce((sum, engine) => sum + engine.promised(), 0),
  unpromised: engines.reduce((sum, engine) => sum + engine.inFlight(), 0),
});

/** Embedded, a producer knows of no other machine: the lock on the data directory is all there is. */
async function openLease(
  config: ProducerConfig,
  holder: { readonly account: Address; readonly place: string },
  { log, signal }: ProcessIo,
): Promise<WalletLease | undefined> {
  if (config.embedded > 0) return undefined;
  const address = parseRedisAddress(config.redisAddr);
  const waitMs = config.wait * 1_000;
  return takeWalletLease({ ...holder, address, waitMs, clock: systemClock, log, signal });
}

function openQueue(
  config: ProducerConfig,
  backends: readonly string[],
  { log, signal, env, metrics, seal }: ProcessIo & { metrics: ProducerMetrics; seal: Seal },
): Promise<ScanQueue> | ScanQueue {
  if (config.embedded > 0) {
    const spawn = () => spawnEmbeddedConsumer(config, env);
    return openEmbeddedQueue({ spawn, consumers: config.embedded, log });
  }
  const address = parseRedisAddress(config.redisAddr);
  return openBullmqQueue({
    address,
    queue: config.queue,
    backends,
    waitMs: config.wait * 1_000,
    log,
    signal,
    seal,
    onForged: () => metrics.answersForged.inc(),
  });
}

function readVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
