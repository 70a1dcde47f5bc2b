import { metadataComplaints } from "../domain/assertion-metadata.ts";
import type { Logger } from "../observe/log.ts";

/** Logs once for each backend which of its metadata is not published; `dropped` when that is all of it. */
export function complaintsTeller(
  log: Logger,
): (backend: string, metadata: Readonly<Record<string, unknown>>, dropped: string | undefined) => void {
  const told = new Set<string>();
  return (backend, metadata, dropped) => {
    for (const complaint of dropped === undefined ? metadataComplaints(metadata) : [dropped]) {
      const key = `${backend}: ${complaint}`;
      if (told.has(key)) continue;
      told.add(key);
      log.warn({ backend, complaint }, "scanner.metadata-dropped");
    }
  };
}
