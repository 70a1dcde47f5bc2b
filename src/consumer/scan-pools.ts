/** The scanners of a consumer, each in processes of its own. */
import { ConfigFault } from "../domain/fault.ts";
import { ScanPool } from "../isolation/scan-pool.ts";
import type { WorkerLimits } from "../isolation/worker-limits.ts";
import type { Logger } from "../observe/log.ts";
import type { ScannerSettings } from "../scanners/contract.ts";
import { resolveBackend } from "../scanners/registry.ts";

export interface ScannerTerms {
  /** Built-in names or module paths. */
  readonly backends: readonly string[];
  /** What the operator set for built-in backends, by their names. */
  readonly backendSettings?: Readonly<Record<string, ScannerSettings>>;
  /** Scans at the same time, over all backends; each may always scan one. */
  readonly scanLimit: number;
  /** Bytes that one scanner process may hold. Default: that of WORKER_LIMITS. */
  readonly scanMemoryBytes?: number;
  /** Backends, by the name or as the operator wrote them, of which each artifact has a process of its own. */
  readonly freshProcess?: readonly string[];
}

/** What the scanners of a consumer need to be started. */
interface PoolParts {
  readonly terms: ScannerTerms;
  readonly log: Logger;
  readonly limits?: Partial<WorkerLimits>;
  /** Ends the wait for scanners that are not ready yet. */
  readonly signal?: AbortSignal;
}

/** The backends by their names, each with its processes; `opened` ends them. Throws ConfigFault when one cannot be used. */
export async function openPools(
  { terms, log, limits, signal }: PoolParts,
  opened: AsyncDisposableStack,
): Promise<ReadonlyMap<string, ScanPool>> {
  const pools = new Map<string, ScanPool>();
  const unclaimed = new Set(terms.freshProcess);
  const resolve = (spec: string) => resolveBackend(spec, { settings: terms.backendSettings });
  for (const module of new Set(terms.backends).values().map(resolve)) {
    const { scanLimit: size, scanMemoryBytes: memoryBytes, freshProcess: fresh = [] } = terms;
    const options = {
      size,
      log,
      fresh,
      limits: { ...(memoryBytes === undefined ? {} : { memoryBytes }), ...limits },
    };
    const pool = opened.use(await ScanPool.open(module, options, signal));
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
    unclaimed.delete(name);
    unclaimed.delete(module.spec);
  }
  for (const name of unclaimed)
    throw new ConfigFault("BACKEND_UNKNOWN", `--fresh-process (variable FRESH_PROCESS) names "${name}".`, {
      hint: `The backends here are ${[...pools.keys()].join(", ")}.`,
    });
  return pools;
}
