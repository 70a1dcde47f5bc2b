import { metadataComplaints } from "../domain/assertion-metadata.ts";
import type { Logger } from "../observe/log.ts";

/** Says once of each backend what will not be published of its metadata; `dropped` when that is all of it. */
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
