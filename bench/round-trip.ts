/** One job there and back: what benchmarks compare with, on the same Redis in the same run. */
import { randomUUID } from "node:crypto";
import { Queue, QueueEvents, Worker } from "bullmq";
import type { ScanJob } from "../src/domain/scan.ts";
import type { ScanHandler } from "../src/queue/port.ts";
import type { RedisAddress } from "../src/redis/address.ts";
import { jobFor } from "../test/fixtures/queue/jobs.ts";

export const echo: ScanHandler = async (job) => ({
  jobId: job.id,
  guid: job.guid,
  artifactIndex: job.artifactIndex,
  backend: job.backend,
  verdict: "malicious",
  confidence: 1,
  metadata: {},
  types: [],
  timings: { queuedMs: 0, fetchMs: 0, scanMs: 0 },
  consumer: "bench",
});

/** Sends one job and resolves with its answer. */
export type RoundTrip = () => Promise<void>;

/** A round trip of one job, given how to send it and how to hear of answers. */
export function roundTrip(
  backend: string,
  send: (job: ScanJob) => Promise<unknown>,
  hear: (listener: (jobId: string) => void) => void,
): RoundTrip {
  let answered = (_jobId: string): void => {};
  hear((jobId) => answered(jobId));
  return async () => {
    const job = jobFor(backend, "echo");
    const done = new Promise<void>((resolve) => {
      answered = (id) => {
        if (id === job.id) resolve();
      };
    });
    await send(job);
    await done;
  };
}

/** BullMQ as its manual shows it, with a job and an answer of the same size as ours. */
export async function rawBullmq(stack: AsyncDisposableStack, address: RedisAddress): Promise<RoundTrip> {
  const { signal } = new AbortController();
  const options = { connection: { ...address }, prefix: `{bench-${randomUUID()}}` };
  const queue = stack.adopt(new Queue("raw", options), (it) => it.close());
  const events = stack.adopt(new QueueEvents("raw", options), (it) => it.close());
  const worker = stack.adopt(new Worker("raw", (job) => echo(job.data, signal), options), (it) => it.close());
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
  return roundTrip(
    "raw",
    (job) => queue.add("scan", job, { jobId: job.id }),
    (listener) => events.on("completed", ({ jobId }) => listener(jobId)),
  );
}

/** The value below which this share of the sorted samples lies. */
export const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
