/**
 * Composition root of a consumer process. Holds no wallet and reaches none; it may be killed at any moment.
 *
 * Opened in this order: the scanners, because the configuration can be wrong about them; health, so that an operator can
 * see it wait; the queue. Asked to stop before that, it ends at once. When it stops it takes no new jobs, finishes those in
 * progress within `--stop-timeout`, and gives what is left back to the queue.
 */
import { once } from "node:events";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { backendSettings } from "../config/commands/backend-settings.ts";
import type { ConsumerConfig } from "../config/commands/consumer.ts";
import { readQueueSecret } from "../config/values/queue-secret.ts";
import type { RateLimits } from "../domain/rate-limit.ts";
import { dropWalletSecrets } from "../isolation/process/environment.ts";
import { consumerMetrics, countAnswer } from "../observe/consumer-metrics.ts";
import { sayMetrics } from "../observe/embedded-metrics.ts";
import { type Health, healthCheck, serveHealth } from "../observe/health.ts";
import { LoopWatch } from "../observe/loop-watch.ts";
import { createRegistry } from "../observe/metrics.ts";
import type { ProcessIo } from "../observe/process-io.ts";
import { openBullmqWork } from "../queue/bullmq/consumer.ts";
import { openEmbeddedWork } from "../queue/embedded/consumer.ts";
import type { ScanWork } from "../queue/port.ts";
import { parseRedisAddress } from "../redis/address.ts";
import { createSeal } from "../redis/seal.ts";
import { type Consumer, openConsumer } from "./consumer.ts";

/** The windows that the operator limited. */
function rateLimitsOf(config: ConsumerConfig): RateLimits {
  const { secondlyRateLimit: second, minutelyRateLimit: minute } = config;
  const { hourlyRateLimit: hour, dailyRateLimit: day } = config;
  return {
    ...(second === undefined ? {} : { second }),
    ...(minute === undefined ? {} : { minute }),
    ...(hour === undefined ? {} : { hour }),
    ...(day === undefined ? {} : { day }),
  };
}

/** Runs until the signal aborts; resolves to the exit code. Throws ConfigFault for what the operator can correct. */
export async function runConsumer(config: ConsumerConfig, io: ProcessIo): Promise<number> {
  const { log, env } = io;
  dropWalletSecrets(env, log);
  const address = config.embedded ? undefined : parseRedisAddress(config.redisAddr);
  const seal = createSeal(config.embedded ? undefined : await readQueueSecret(config));
  const name = `${hostname()}-${process.pid}`;
  const registry = createRegistry("consumer");
  const metrics = consumerMetrics(registry);
  using loop = new LoopWatch({ registry, log });

  // A Ctrl-C in a terminal reaches the whole family; an embedded consumer stops when its producer says so.
  const asked = config.embedded ? new AbortController().signal : io.signal;
  await using consumer = await openConsumer({
    terms: {
      polyswarmdAddr: config.polyswarmdAddr,
      ...(config.apiKey === undefined ? {} : { apiKey: config.apiKey }),
      allowKeyOverHttp: config.allowKeyOverHttp,
      backends: config.backend,
      backendSettings: backendSettings(config),
      scanLimit: config.scanLimit,
      downloadLimit: config.downloadLimit,
      scanTimeRequirementMs: config.scanTimeRequirement * 1_000,
      rateLimits: rateLimitsOf(config),
      maxArtifactSize: config.maxArtifactSize,
      scanMemoryBytes: config.scanMemory,
      freshProcess: config.freshProcess,
      name,
    },
    log,
    onAnswer: (answer) => countAnswer(metrics, answer),
    signal: asked,
  }).catch((error: unknown) => {
    if (asked.aborted) return undefined;
    throw error;
  });
  if (consumer === undefined) return 0;
  let queue: ScanWork | undefined;
  const queueTrouble = () => (queue === undefined ? "Redis was not reached yet." : queue.trouble());
  const refresh = (): void => {
    metrics.queueUp.set(queueTrouble() === undefined ? 1 : 0);
    metrics.jobsInProgress.set(consumer.inProgress());
    const troubles = consumer.troubles();
    for (const { name } of consumer.backends) {
      metrics.backendUp.set({ backend: name }, troubles.has(name) ? 0 : 1);
    }
    for (const [backend, measures] of consumer.measures())
      for (const [name, value] of measures) metrics.scannerValue.set({ backend, name }, value);
  };
  await using _health = await serveHealth({
    host: config.httpHost,
    port: config.httpPort,
    log,
    metrics: registry,
    live: () => ({ scanners: { ok: consumer.healthy() }, loop: loop.health() }),
    ready: () => ({
      scanners: scannersReady(consumer),
      queue: healthCheck(queueTrouble()),
      serving: { ok: consumer.serving() },
    }),
    refresh,
  });
  const leaving = new AbortController();
  const stop = AbortSignal.any([asked, leaving.signal]);
  await using work = address === undefined ? openEmbedded() : await openQueue(address);
  if (work === undefined) return 0;
  queue = work;
  // The port of a consumer that a producer runs is known to no one; the producer shows what it counts.
  using _said = config.embedded
    ? sayMetrics(registry, refresh, (message) => process.connected && process.send?.(message, () => {}))
    : undefined;
  log.info(
    { consumer: name, backends: consumer.backends.map((backend) => backend.name) },
    "consumer.serving",
  );
  await finishedWithin(config.stopTimeout * 1_000, consumer.serve(work, stop), stop);
  log.info({ consumer: name }, "consumer.stopped");
  return 0;

  /** The queue of the producer that started this process; when that is gone, so is the reason to be here. */
  function openEmbedded(): ScanWork {
    const embedded = openEmbeddedWork({ channel: process, consumer: name, log });
    void embedded.ended.then(() => leaving.abort());
    return embedded;
  }

  /** `undefined` when the process was asked to stop while Redis was still awaited. */
  async function openQueue(redis: ReturnType<typeof parseRedisAddress>): Promise<ScanWork | undefined> {
    const waitMs = config.wait * 1_000;
    try {
      return await openBullmqWork({
        address: redis,
        queue: config.queue,
        consumer: name,
        waitMs,
        log,
        signal: stop,
        seal,
        onForged: () => metrics.jobsForged.inc(),
      });
    } catch (error) {
      if (stop.aborted) return undefined;
      throw error;
    }
  }
}

/** A backend whose service is down is no reason to restart; it is one to look after. */
function scannersReady(consumer: Consumer): Health[string] {
  const detail = [...consumer.troubles()].map(([backend, trouble]) => `${backend}: ${trouble}`).join(" ");
  return detail === "" ? { ok: consumer.healthy() } : { ok: false, detail };
}

/** Waits for work that ends some time after the signal; once that aborts, for `ms` at most. */
async function finishedWithin(ms: number, work: Promise<void>, signal: AbortSignal): Promise<void> {
  const overdue = async (): Promise<void> => {
    if (!signal.aborted) await once(signal, "abort");
    await sleep(ms, undefined, { ref: false });
  };
  await Promise.race([work, overdue()]);
}
