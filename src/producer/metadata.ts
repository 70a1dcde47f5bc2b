import { arch, platform } from "node:os";
import { z } from "zod";
import { acceptedMetadata } from "../domain/assertion-metadata.ts";
import type { Opinion } from "../domain/opinion.ts";
import type { ScanAnswer } from "../domain/scan.ts";

/** One artifact's entry in the assertion metadata. */
export type VerdictMetadata = Readonly<Record<string, unknown>> & { readonly malware_family: string };

/** The entry of an artifact outside the mask. */
const SILENT: VerdictMetadata = Object.freeze({ malware_family: "" });

const THREE_NUMBERS = /^\d+\.\d+\.\d+$/;

/** A metadata entry beyond this is cut down to what the market needs; the gateway fetches it with a one-second timeout. */
const MAX_ENTRY_BYTES = 16_384;

/**
 * The assertion metadata: one entry per artifact in index order, also for artifacts outside the mask, as every version
 * of the marketplace's schema accepts it. `spoken[i]` holds the opinion asserted on artifact i and the answers behind
 * it, or null when we keep silent about it.
 */
export function buildMetadata(
  spoken: readonly ({
    readonly opinion: Pick<Opinion, "verdict" | "family">;
    readonly answers: readonly ScanAnswer[];
  } | null)[],
  versions: { readonly microengine: string },
): readonly VerdictMetadata[] {
  return spoken.map((item) => {
    if (item === null) return SILENT;
    const agreeing = item.answers
      .filter((answer) => answer.verdict === item.opinion.verdict)
      .toSorted((a, b) => b.confidence - a.confidence);
    const lead = agreeing[0];
    const entry: VerdictMetadata = {
      ...acceptedMetadata(lead?.metadata ?? {}),
      malware_family: item.opinion.family,
      scanner: scannerOf(lead, versions),
    };
    if (Buffer.byteLength(JSON.stringify(entry)) <= MAX_ENTRY_BYTES) return entry;
    return { malware_family: item.opinion.family, scanner: entry.scanner };
  });
}

function scannerOf(lead: ScanAnswer | undefined, versions: { microengine: string }): Record<string, unknown> {
  const given = z.record(z.string(), z.unknown()).safeParse(lead?.metadata.scanner).data ?? {};
  const text = (key: string): Record<string, string> =>
    typeof given[key] === "string" ? { [key]: given[key] } : {};
  return {
    ...(THREE_NUMBERS.test(lead?.scannerVersion ?? "") ? { version: lead?.scannerVersion } : {}),
    ...text("vendor_version"),
    ...text("signatures_version"),
    ...(THREE_NUMBERS.test(versions.microengine) ? { polyswarmclient_version: versions.microengine } : {}),
    environment: { operating_system: platform(), architecture: arch() },
  };
}
