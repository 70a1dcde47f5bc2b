import type { ContentTransferLimits } from "./content-transfer.ts";

/** What one scanner process is given: time, memory, and how long it lasts. */
export interface WorkerLimits extends ContentTransferLimits {
  /** How long loading and `setup` may take, not counting what the process has to wait for a processor. */
  readonly startMs: number;
  /** How long after its deadline a scan may still end by itself. */
  readonly graceMs: number;
  /** How long `teardown` may take. */
  readonly closeMs: number;
  /** What the process, and programs that it runs, may hold. */
  readonly memoryBytes: number;
  readonly maxScans: number;
  /** Content beyond this wears the worker out. */
  readonly largeBytes: number;
}

export const WORKER_LIMITS: WorkerLimits = {
  startMs: 60_000,
  graceMs: 100,
  closeMs: 2_000,
  memoryBytes: 1024 * 1024 * 1024,
  maxScans: 1_000,
  largeBytes: 16 * 1024 * 1024,
  channelBytes: 64 * 1024,
  keptBytes: 8 * 1024 * 1024,
};
