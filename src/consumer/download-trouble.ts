import type { ScanAnswer } from "../domain/scan.ts";
import type { Logger } from "../observe/log.ts";

/** One artifact that cannot be had is the market's affair; so many in a row are ours. */
const ARTIFACTS_IN_A_ROW = 3;

/**
 * Says once that this consumer's gateway hands out no artifacts, and once that it does again. A consumer asks its gateway
 * for nothing else: without this, a wrong address or a refused key would go unnoticed.
 */
export function downloadTeller(
  gateway: string,
  log: Logger,
): (answer: Pick<ScanAnswer, "guid" | "artifactIndex" | "reason" | "detail" | "sha256">) => void {
  const failed = new Set<string>();
  let told = false;
  return ({ guid, artifactIndex, reason, detail, sha256 }) => {
    if (sha256 !== undefined) {
      if (told) log.info({ gateway }, "download.recovered");
      told = false;
      failed.clear();
    }
    if (reason !== "download-failed" || told) return;
    failed.add(`${guid}/${artifactIndex}`);
    if (failed.size < ARTIFACTS_IN_A_ROW) return;
    told = true;
    const hint = "Check --polyswarmd-addr and --api-key of this consumer.";
    log.warn({ gateway, reason: detail, hint }, "download.trouble");
  };
}
