/**
 * Composition root of a consumer: scanners in processes of their own, an artifact source, and a queue to take jobs from.
 * Holds no wallet and reaches none; whoever starts it may kill it at any moment.
 */

import { type Clock, systemClock } from "../domain/chain.ts";
import { ConfigFault } from "../domain/fault.ts";
import type { ScanAnswer } from "../domain/scan.ts";
import type { Logger } from "../observe/log.ts";
import type { ScanWork } from "../queue/port.ts";
import type { BackendDescription } from "../scanners/contract.ts";
import { resolveBackend } from "../scanners/registry.ts";
import { dropWalletSecrets } from "./environment.ts";
import { type FetchPolicy, openArtifactSource } from "./fetch-artifact.ts";
import { createScanHandler } from "./handle-job.ts";
import { ScanPool } from "./scan-pool.ts";
import type { WorkerLimits } from "./scan-worker.ts";
import { shareArtifacts } from "./shared-artifacts.ts";

export interface ConsumerConfig {
  readonly polyswarmdAddr: string;
  readonly apiKey?: string;
  readonly allowKeyOverHttp: boolean;
  /** Built-in names or module paths. */
  readonly backends: readonly string[];
  /** Scans at the same time, over all backends. */
  readonly scanLimit: number;
  /** Bytes; larger artifacts are answered `too-large` without being read to the end. */
  readonly maxArtifactSize: number;
  /** Of this consumer, as answers and logs carry it. */
  readonly name: string;
}

export interface ConsumerParts {
  readonly config: ConsumerConfig;
  readonly work: ScanWork;
  readonly log: Logger;
  /** Hears of every answer; metrics hang here. */
  readonly onAnswer?: (answer: ScanAnswer) => void;
  readonly clock?: Clock;
  readonly limits?: Partial<WorkerLimits>;
  readonly fetchPolicy?: Partial<FetchPolicy>;
  /** Wallet secrets found here are dropped. */
  readonly environment?: Record<string, string | undefined>;
}

export interface Consumer extends AsyncDisposable {
  readonly backends: readonly BackendDescription[];
  /** Takes jobs until the signal aborts; resolves when those in progress are answered. */
  serve(signal: AbortSignal): Promise<void>;
  /** Whether the queue and every scanner can be used. */
  healthy(): boolean;
  /** Healthy, and taking jobs. */
  ready(): boolean;
}

/** Content kept for the other backends that will ask for it. */
const SHARED_BYTES = 64 * 1024 * 1024;

/** Starts every backend. Throws ConfigFault when one cannot be used or the gateway's address is wrong. */
export async function openConsumer(parts: ConsumerParts): Promise<Consumer> {
  const { config, work, log, clock = systemClock } = parts;
  dropWalletSecrets(parts.environment ?? process.env, log);
  const opened = new AsyncDisposableStack();
  try {
    const policy = { clock, random: Math.random, silenceMs: 5_000, pauseMs: 50, maxPauseMs: 2_000 };
    const gateway = opened.use(openArtifactSource(config, { ...policy, ...parts.fetchPolicy }));
    const source = opened.use(shareArtifacts(gateway, SHARED_BYTES));
    const pools = await openPools(parts, opened);
    const { name: consumer, maxArtifactSize: maxSizeBytes, scanLimit: concurrency } = config;
    const handler = createScanHandler({ backends: pools, source, clock, log, consumer, maxSizeBytes });
    const healthy = (): boolean => work.healthy() && pools.values().every((pool) => pool.healthy());
    let serving = false;

    return {
      backends: [...pools.values()].map(({ description }) => description),
      healthy,
      ready: () => serving && healthy(),
      async serve(signal) {
        if (signal.aborted) return;
        const answering: typeof handler = async (job, jobSignal) => {
          const answer = await handler(job, jobSignal);
          tell(parts, answer);
          return answer;
        };
        const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
        signal.addEventListener("abort", () => stop(), { once: true });
        serving = true;
        // Some queues resolve once they take jobs, others when they stop: only a failure ends the wait early.
        const served = work.serve([...pools.keys()], answering, { concurrency });
        await Promise.race([stopped, served.then(() => stopped)]);
        serving = false;
        await work.drain();
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/** Opens a consumer, serves until the signal aborts, drains and closes it. */
export async function runConsumer(parts: ConsumerParts, signal: AbortSignal): Promise<void> {
  await using consumer = await openConsumer(parts);
  await consumer.serve(signal);
}

async function openPools(
  { config, log, limits }: ConsumerParts,
  opened: AsyncDisposableStack,
): Promise<ReadonlyMap<string, ScanPool>> {
  const pools = new Map<string, ScanPool>();
  for (const module of new Set(config.backends).values().map((spec) => resolveBackend(spec))) {
    const options = { size: config.scanLimit, log, ...(limits === undefined ? {} : { limits }) };
    const pool = opened.use(await ScanPool.open(module, options));
    const { name, version } = pool.description;
    if (pools.has(name)) {
      throw new ConfigFault(
        "BACKEND_DUPLICATE",
        `Two backends are called "${name}"; ${module.spec} is the second.`,
        {
          hint: "The name of a scanner names its queue: give each its own.",
        },
      );
    }
    pools.set(name, pool);
    log.info({ backend: name, version, module: module.spec }, "scanner.ready");
  }
  return pools;
}

function tell({ log, onAnswer }: ConsumerParts, answer: ScanAnswer): void {
  const { jobId, verdict, reason, detail, timings } = answer;
  log.debug({ job: jobId, verdict, reason, detail, ...timings }, "scan.answered");
  onAnswer?.(answer);
}
