import type { RecoverConfig } from "../../config/commands/recover.ts";
import { readQueueSecret } from "../../config/values/queue-secret.ts";
import { NOTHING_LEARNED } from "../../distill/experience/reliability.ts";
import { knowledgeAbout } from "../../distill/knowledge.ts";
import { loadDistillEngine } from "../../distill/load.ts";
import { ARTIFACT_KINDS } from "../../domain/artifact.ts";
import type { Bounty } from "../../domain/bounty.ts";
import { describeError } from "../../domain/fault.ts";
import type { Clock } from "../../domain/instant.ts";
import { silenceBy } from "../../domain/silence.ts";
import type { Market } from "../../market/port.ts";
import type { RescanArtifacts } from "../../market/recovery.ts";
import type { TellRecover } from "../../market/recovery-events.ts";
import type { ProcessIo } from "../../observe/process-io.ts";
import { createSeal } from "../../redis/seal.ts";
import { Collector } from "../answering/collector.ts";
import { rulesForBackends } from "../process/backends.ts";
import { openScanQueue } from "../process/scan-queue.ts";
import { type RescanParts, rescan, rescanUntil } from "./rescan.ts";

/** Scans artifacts anew, with consumers that are reached for when the first bounty needs them. */
export interface ScanAgain extends AsyncDisposable {
  /** For the artifacts of a marketplace. Undefined when no consumer can be had, which is told once, or when none answers in time. */
  of(market: Pick<Market, "artifact">): RescanArtifacts;
}

/** A Redis that may not be there at all is not waited for any longer. */
const REDIS_WAIT_MS = 5_000;

export function openScanAgain(
  config: RecoverConfig,
  io: ProcessIo & { readonly tell: TellRecover; readonly clock: Clock },
): ScanAgain {
  const { tell, clock } = io;
  const opened = new AsyncDisposableStack();
  let opening: Promise<RescanParts | undefined> | undefined;
  const open = async (): Promise<RescanParts | undefined> => {
    try {
      const rules = await rulesForBackends({ ...config, artifactType: ARTIFACT_KINDS }, io.log);
      const backends = rules.backends.map(({ name }) => name);
      const waitMs = Math.min(REDIS_WAIT_MS, config.wait * 1_000);
      const seal = async () => createSeal(await readQueueSecret(config));
      const queue = opened.use(await openScanQueue({ config, io, backends, waitMs, seal }));
      const collector = new Collector(queue, clock, () => {});
      opened.use(collector.listen());
      const engine = await loadDistillEngine(config.distill);
      const silence = silenceBy(config.benign);
      return {
        queue,
        backends,
        clock,
        maxSizeBytes: rules.maxSizeBytes,
        collector,
        // What the lost ledger taught is lost with it.
        distill: (testimony) =>
          engine.distill(testimony, knowledgeAbout(testimony, silence, NOTHING_LEARNED)),
      };
    } catch (error) {
      io.signal.throwIfAborted();
      tell("recover.no-rescan", { reason: describeError(error) });
      return undefined;
    }
  };
  return {
    of: (market) => async (bounty, mask, before, signal) => {
      if (config.rescanTimeout === 0) return undefined;
      opening ??= open();
      const parts = await opening;
      const until = rescanUntil(clock.now(), config.rescanTimeout, before);
      const reference = (of: Bounty, index: number) => market.artifact(of, index);
      return parts && rescan(parts, { bounty, mask, until, reference }, signal);
    },
    async [Symbol.asyncDispose]() {
      await opening?.catch(() => undefined);
      await opened.disposeAsync();
    },
  };
}
