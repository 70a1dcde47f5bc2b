/** A consumer less its process: scanners in processes of their own and an artifact source, ready for a queue. */

import { Semaphore } from "../async/semaphore.ts";
import { unlessAborted } from "../async/unless-aborted.ts";
import { type Clock, systemClock } from "../domain/instant.ts";
import { describeRefusal, type RateCounter, type RateLimits } from "../domain/rate-limit.ts";
import type { ScanAnswer } from "../domain/scan.ts";
import { describeProxy, proxyFor } from "../http/proxy.ts";
import type { PublicAccess } from "../http/public-requests.ts";
import type { ScanPool } from "../isolation/scan-pool.ts";
import type { WorkerLimits } from "../isolation/worker-limits.ts";
import type { Logger } from "../observe/log.ts";
import type { ScanHandler, ScanWork } from "../queue/port.ts";
import type { BackendDescription } from "../scanners/contract.ts";
import { gatewayBase } from "./artifact-address.ts";
import type { FetchPolicy } from "./artifact-attempts.ts";
import { downloadTeller } from "./download-trouble.ts";
import { type ArtifactSource, openArtifactSource } from "./fetch-artifact.ts";
import { createScanHandler, type HandlerParts } from "./handle-job.ts";
import { ScanPlaces } from "./scan-places.ts";
import { openPools, type ScannerTerms } from "./scan-pools.ts";
import { shareArtifacts } from "./shared-artifacts.ts";

interface ConsumerTerms extends ScannerTerms {
  readonly polyswarmdAddr: string;
  readonly apiKey?: string;
  readonly allowKeyOverHttp: boolean;
  /** Downloads at the same time. Default: as many as scans. Of each backend, as many jobs as the larger of the two are in progress. */
  readonly downloadLimit?: number;
  /** Of each backend, by all consumers of the queue together. Default: none. */
  readonly rateLimits?: RateLimits;
  /** Milliseconds before its deadline after which a job is not begun any more. Default: 0. */
  readonly scanTimeRequirementMs?: number;
  /** Bytes; larger artifacts are answered `too-large` without being read to the end. */
  readonly maxArtifactSize: number;
  /** Of this consumer, as answers and logs carry it. */
  readonly name: string;
}

interface ConsumerParts {
  readonly terms: ConsumerTerms;
  readonly log: Logger;
  /** Hears of every answer. */
  readonly onAnswer?: (answer: ScanAnswer) => void;
  readonly clock?: Clock;
  /** Says what proxy to use. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly limits?: Partial<WorkerLimits>;
  readonly fetchPolicy?: Partial<FetchPolicy>;
  /** How the URLs of artifacts are reached. Default: at public addresses only. */
  readonly urlAccess?: PublicAccess;
  /** Ends the wait for scanners that are not ready yet. */
  readonly signal?: AbortSignal;
}

export interface Consumer extends AsyncDisposable {
  readonly backends: readonly BackendDescription[];
  /** Takes jobs from the queue until the signal aborts; resolves when those in progress are answered. */
  serve(work: ScanWork, signal: AbortSignal): Promise<void>;
  /** Whether every scanner can be used; if not, a restart may help. */
  healthy(): boolean;
  /** Backends whose service cannot be used at present, and why; they answer `unknown` until it can. */
  troubles(): ReadonlyMap<string, string>;
  /** What each backend measures of itself, by names. */
  measures(): ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Whether jobs are being taken. */
  serving(): boolean;
  /** Jobs taken and not answered yet. */
  inProgress(): number;
}

/** Jobs in progress of each backend: while one waits for a missing artifact, another goes on. */
const LEAST_JOBS = 2;

/** Content kept for the other backends that will ask for it. */
const SHARED_BYTES = 64 * 1024 * 1024;

/** Starts every backend. Throws ConfigFault when one cannot be used or the gateway's address is wrong. */
export async function openConsumer(parts: ConsumerParts): Promise<Consumer> {
  const { scanLimit, downloadLimit = scanLimit } = parts.terms;
  const perBackend = Math.max(scanLimit, downloadLimit, LEAST_JOBS);
  await using opened = new AsyncDisposableStack();
  const { source, addr } = openSource(parts, perBackend, opened);
  const pools = await openPools(parts, opened);
  const answering: Answering = { parts, pools, source, addr, counts: { inProgress: 0 } };
  const handlerFor = answeringHandlers(answering);
  let serving = false;

  const lifetime = opened.move();
  return {
    backends: [...pools.values()].map(({ description }) => description),
    healthy: () => pools.values().every((pool) => pool.healthy()),
    troubles: () => troublesOf(pools),
    measures: () => new Map(pools.entries().map(([name, pool]) => [name, pool.measures] as const)),
    serving: () => serving,
    inProgress: () => answering.counts.inProgress,
    async serve(work, signal) {
      if (signal.aborted) return;
      // Some queues resolve once they take jobs, others when they stop: only a failure ends the wait early.
      // Each backend's jobs wait for places here, not in front of the queue: one that hangs holds up no other.
      const able = () => [...pools].filter(([, pool]) => pool.trouble() === undefined).map(([name]) => name);
      const options = { perBackend, concurrency: perBackend * pools.size, able };
      const served = work.serve([...pools.keys()], handlerFor(work), options);
      serving = true;
      const failed = served.then(() => new Promise<never>(() => {}));
      await unlessAborted(signal, failed, () => undefined).finally(() => {
        serving = false;
      });
      await work.drain();
    },
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

const FETCH_TIMES = { silenceMs: 5_000, pauseMs: 50, maxPauseMs: 2_000, missingMs: 6_000 };

/** Of the artifacts, behind the gateway at `addr`. Throws ConfigFault for an address that is wrong. */
function openSource(
  { terms, log, clock = systemClock, env = process.env, fetchPolicy, urlAccess }: ConsumerParts,
  perBackend: number,
  opened: AsyncDisposableStack,
): { readonly source: ArtifactSource; readonly addr: string } {
  const addr = gatewayBase(terms);
  const proxy = proxyFor(new URL(addr), env);
  if (proxy !== undefined)
    log.info({ addr, proxy: describeProxy(proxy), variable: proxy.variable }, "proxy.used");
  const gateway = openArtifactSource(
    { ...terms, proxy },
    {
      clock,
      random: Math.random,
      ...FETCH_TIMES,
      downloads: new Semaphore(terms.downloadLimit ?? terms.scanLimit),
      missingWaits: new Semaphore(Math.floor(perBackend / 2)),
      ...fetchPolicy,
    },
    { proxyFor: (url) => proxyFor(url, env), ...urlAccess },
  );
  return { source: opened.use(shareArtifacts(gateway, SHARED_BYTES)), addr };
}

/** What a consumer answers jobs with. */
interface Answering {
  readonly parts: ConsumerParts;
  readonly pools: ReadonlyMap<string, ScanPool>;
  readonly source: ArtifactSource;
  readonly addr: string;
  readonly counts: { inProgress: number };
}

/** The handler of a queue's jobs. All of them share the places in which is scanned. */
function answeringHandlers({
  parts,
  pools,
  source,
  addr,
  counts,
}: Answering): (work: ScanWork) => ScanHandler {
  const { terms, log, clock = systemClock, onAnswer } = parts;
  const scans = new ScanPlaces(terms.scanLimit);
  const tellDownload = downloadTeller(addr, log);
  return (work) => {
    const handle = createScanHandler({
      backends: pools,
      source,
      clock,
      log,
      consumer: terms.name,
      maxSizeBytes: terms.maxArtifactSize,
      scans,
      refusedByRate: rateOf(terms.rateLimits ?? {}, work.rates),
      requiredMs: terms.scanTimeRequirementMs ?? 0,
    });
    return async (job, signal) => {
      counts.inProgress++;
      const answer = await handle(job, signal);
      counts.inProgress--;
      tellLog(log, answer);
      // A URL says nothing of the gateway.
      if (job.artifact.kind === "content") tellDownload(answer);
      onAnswer?.(answer);
      return answer;
    };
  };
}

function troublesOf(pools: ReadonlyMap<string, ScanPool>): ReadonlyMap<string, string> {
  return new Map(
    pools.entries().flatMap(([name, pool]) => {
      const trouble = pool.trouble();
      return trouble === undefined ? [] : [[name, trouble] as const];
    }),
  );
}

/** Asks the queue's counter, when there is anything to ask. */
function rateOf(limits: RateLimits, rates: RateCounter): NonNullable<HandlerParts["refusedByRate"]> {
  return async (backend, how) => {
    if (Object.keys(limits).length === 0) return undefined;
    return describeRefusal(await rates.use(`backend/${backend}`, limits, how), limits);
  };
}

function tellLog(log: Logger, answer: ScanAnswer): void {
  const { jobId, verdict, reason, detail, timings } = answer;
  log.debug({ job: jobId, verdict, reason, detail, ...timings }, "scan.answered");
}
