import { NO_CLAIM } from "../../src/domain/artifact.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { instant, systemClock } from "../../src/domain/instant.ts";
import { MemoryRateCounter, type RateCounter } from "../../src/domain/rate-limit.ts";
import { type ScanAnswer, type ScanJob, scanJobId } from "../../src/domain/scan.ts";
import type { ScanHandler, ScanWork } from "../../src/queue/port.ts";

export interface JobWishes extends Partial<Omit<ScanJob, "deadline">> {
  /** Of the set whose artifact `artifactIndex` is asked for, where the job has no other reference. */
  readonly uri?: string;
  /** From now. */
  readonly inMs?: number;
}

let jobs = 0;

export function scanJob({ uri = "", inMs = 10_000, ...wishes }: JobWishes): ScanJob {
  const guid = parseGuid(`00000000-0000-0000-0000-${(++jobs).toString(16).padStart(12, "0")}`);
  const { backend = "puppet", artifactIndex = 0 } = wishes;
  return {
    id: scanJobId("side", guid, artifactIndex, backend),
    guid,
    market: "side",
    artifactIndex,
    backend,
    kind: "file",
    artifact: { kind: "content", address: uri, index: artifactIndex },
    claim: NO_CLAIM,
    deadline: instant(Date.now() + inMs),
    maxSizeBytes: 40 * 1024 * 1024,
    dispatchedAt: instant(Date.now()),
    ...wishes,
  };
}

/** A queue of nothing but the handler: jobs go in by `ask`, and each answer is what `ask` resolves with. */
export class DirectWork implements ScanWork {
  readonly rates: RateCounter = new MemoryRateCounter(systemClock);
  served: { readonly backends: readonly string[]; readonly concurrency: number } | undefined;
  /** Resolves when the consumer takes jobs. */
  readonly serving: Promise<void>;
  #handler: ScanHandler | undefined;
  #announce: () => void;
  readonly #inProgress = new Set<Promise<ScanAnswer>>();
  #draining = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.serving = promise;
    this.#announce = resolve;
  }

  async serve(
    backends: readonly string[],
    handler: ScanHandler,
    { concurrency }: { concurrency: number },
  ): Promise<void> {
    this.served = { backends, concurrency };
    this.#handler = handler;
    this.#announce();
  }

  ask(wishes: JobWishes, stop: AbortSignal = new AbortController().signal): Promise<ScanAnswer> {
    if (this.#draining) throw new Error("the consumer has stopped taking jobs");
    const job = scanJob(wishes);
    const overdue = AbortSignal.timeout(Math.max(0, job.deadline - Date.now()));
    const answering = this.#handler!(job, AbortSignal.any([stop, overdue]));
    this.#inProgress.add(answering);
    return answering.finally(() => this.#inProgress.delete(answering));
  }

  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all(this.#inProgress);
  }

  readonly trouble = () => undefined;

  healthy(): boolean {
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
