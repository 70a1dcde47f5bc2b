/**
 * Many scans of hostile files by one real consumer process through every kind of backend, over the embedded queue: what
 * becomes of its jobs, of itself and of its memory.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { instant } from "../../src/domain/instant.ts";
import type { ScanAnswer, ScanJob } from "../../src/domain/scan.ts";
import { residentBytes } from "../../src/isolation/process/resident-memory.ts";
import { createLogger } from "../../src/observe/log.ts";
import { openEmbeddedQueue } from "../../src/queue/embedded/producer.ts";
import { temporaryFolder } from "../e2e/engine.ts";
import { hostileCorpus } from "../fixtures/hostile/corpus.ts";
import { content, openGateway } from "../integration/consumer-gateway.ts";
import { scanJob } from "../integration/consumer-work.ts";
import { openBackends } from "./backends.ts";

export interface SoakTerms {
  readonly scans: number;
  /** Number of scans after which its memory is what all later is compared with. */
  readonly early: number;
  /** Larger files of the corpus are left out. Default: none is. */
  readonly maxFileBytes?: number;
}

export interface SoakReport {
  readonly backends: readonly string[];
  readonly files: number;
  readonly answers: number;
  /** By backend and verdict or reason. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Consumers started; one, if none died. */
  readonly consumers: number;
  /** Bytes, mean of the samples around that moment: of the consumer alone, and with all its scanners. */
  readonly early: Memory;
  readonly late: Memory;
  /** The same at ten moments, evenly spread. */
  readonly course: readonly Memory[];
  readonly seconds: number;
}

interface Memory {
  readonly consumer: number;
  readonly withScanners: number;
}

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const IN_FLIGHT = 12;
/** Part of all scans before the moment over which memory is averaged: one sample would be anything. */
const WINDOW = 0.04;
const SAMPLE_EVERY = 5;

/** Base58 knows no `l`, `0`, `I`, `O`. */
const uriOf = (at: number): string => `QmSoak${at.toString(9).replaceAll("0", "9")}`;

export async function soak({
  scans,
  early,
  maxFileBytes = Number.POSITIVE_INFINITY,
}: SoakTerms): Promise<SoakReport> {
  using folder = temporaryFolder();
  await using backends = await openBackends(folder.path);
  const names = Object.keys(backends.flags);
  const files = hostileCorpus()
    .map(({ bytes }) => bytes)
    .filter(({ length }) => length <= maxFileBytes);
  await using gateway = await openGateway(
    Object.fromEntries(files.map((bytes, at) => [uriOf(at), content(bytes)])),
  );
  const flags = ["--polyswarmd-addr", gateway.base, "--log", "warn", "--scan-limit", "2"];
  const started: ChildProcess[] = [];
  const from = performance.now();
  await using queue = openEmbeddedQueue({
    consumers: 1,
    log: createLogger({ level: "silent", format: "json", name: "soak" }),
    spawn: () => {
      const args = ["consumer", "--embedded", ...flags, ...Object.values(backends.flags).flat()];
      const child = fork(MAIN, args, { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
      started.push(child);
      return child;
    },
  });

  const samples = new Map<number, Memory>();
  const outcomes: Record<string, number> = {};
  const done = Promise.withResolvers<void>();
  let dispatched = 0;
  let answers = 0;
  const dispatch = async (): Promise<void> => {
    if (dispatched < scans) await queue.dispatch([jobOf(dispatched++, names, files.length)]);
  };
  queue.onAnswer(({ backend, verdict, reason }: ScanAnswer) => {
    const outcome = `${backend} ${reason ?? verdict}`;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    answers++;
    if (answers % SAMPLE_EVERY === 0) samples.set(answers, memoryOf(started.at(-1)!));
    if (answers === scans) done.resolve();
    else dispatch().catch(done.reject);
  });
  for (let jobs = 0; jobs < IN_FLIGHT; jobs++) await dispatch();
  await done.promise;

  const before = (moment: number): Memory => {
    const near = samples.entries().filter(([at]) => at <= moment && at > moment - scans * WINDOW);
    return meanOf([...near].map(([, memory]) => memory));
  };
  return {
    backends: names,
    files: files.length,
    answers,
    outcomes,
    consumers: started.length,
    early: before(early),
    late: before(scans),
    course: Array.from({ length: 10 }, (_, at) => before(((at + 1) * scans) / 10)),
    seconds: (performance.now() - from) / 1_000,
  };
}

/** Every file through every backend, again and again. */
function jobOf(number: number, backends: readonly string[], files: number): ScanJob {
  const at = Math.floor(number / backends.length) % files;
  const job = scanJob({ uri: uriOf(at), backend: backends[number % backends.length]! });
  return { ...job, deadline: instant(Date.now() + 120_000) };
}

const memoryOf = ({ pid = 0 }: ChildProcess): Memory => ({
  consumer: residentBytes(pid, "alone") ?? 0,
  withScanners: residentBytes(pid) ?? 0,
});

const meanOf = (samples: readonly Memory[]): Memory => ({
  consumer: samples.reduce((sum, { consumer }) => sum + consumer, 0) / samples.length,
  withScanners: samples.reduce((sum, { withScanners }) => sum + withScanners, 0) / samples.length,
});
