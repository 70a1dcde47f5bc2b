/**
 * Which backends no consumer serves. Consumers of our own, embedded ones, are started with the producer and take a second or
 * more until they serve; others come when they come, and are told of at once.
 *
 *     starting ──all served, or waited long enough──► told ◄──► one gone, one back: told again
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ScanQueue } from "../../queue/port.ts";

const LOOK_EVERY_MS = 100;

/** Those of `backends` that no consumer takes jobs of. */
export const unserved = (backends: readonly string[], served: ReadonlySet<string>): readonly string[] =>
  backends.filter((backend) => !served.has(backend));

/** Resolves with the backends without a consumer: when there are none, when `waitMs` has passed, or when the signal aborts. */
export async function awaitServed(
  queue: Pick<ScanQueue, "served">,
  backends: readonly string[],
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const giveUpAt = performance.now() + waitMs;
  for (;;) {
    const missing = unserved(backends, queue.served());
    if (missing.length === 0 || performance.now() >= giveUpAt || signal.aborted) return missing;
    await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

interface ServedWatch {
  readonly backends: readonly string[];
  readonly queue: Pick<ScanQueue, "served">;
  /** Called for each change. */
  onChange(backend: string, now: "served" | "unserved"): void;
}

/** Compares with the last look; the first one has nothing to compare with. */
export function servedChanges({ backends, queue, onChange }: ServedWatch): () => void {
  let before: ReadonlySet<string> | undefined;
  return () => {
    const now = new Set(queue.served());
    for (const backend of before === undefined ? [] : backends) {
      if (now.has(backend) === before?.has(backend)) continue;
      onChange(backend, now.has(backend) ? "served" : "unserved");
    }
    before = now;
  };
}
