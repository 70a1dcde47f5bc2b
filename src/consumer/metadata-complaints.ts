import { RecentKeys } from "../async/recent-keys.ts";
import { metadataComplaints } from "../domain/assertion-metadata.ts";
import type { Logger } from "../observe/log.ts";

/** A complaint may quote what a scanner wrote, so there is no end to them. */
const COMPLAINTS_KNOWN = 1_000;

/** Logs once for each backend which of its metadata is not published; `dropped` when that is all of it. */
export function complaintsTeller(
  log: Logger,
): (backend: string, metadata: Readonly<Record<string, unknown>>, dropped: string | undefined) => void {
  const told = new RecentKeys(COMPLAINTS_KNOWN);
  return (backend, metadata, dropped) => {
    for (const complaint of dropped === undefined ? metadataComplaints(metadata) : [dropped]) {
      if (told.add(`${backend}: ${complaint}`)) log.warn({ backend, complaint }, "scanner.metadata-dropped");
    }
  };
}
