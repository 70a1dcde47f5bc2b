import { arch, platform } from "node:os";
import { acceptedMetadata, MAX_ADDED_BYTES, ScannerVersions } from "../domain/assertion-metadata.ts";
import type { Opinion } from "../domain/opinion.ts";
import type { ScanAnswer } from "../domain/scan.ts";
import { stringifyJson } from "../json/json.ts";

/** One artifact's entry in the assertion metadata. */
type VerdictMetadata = Readonly<Record<string, unknown>> & { readonly malware_family: string };

/** The entry of an artifact outside the mask. */
const SILENT: VerdictMetadata = Object.freeze({ malware_family: "" });

const THREE_NUMBERS = /^\d+\.\d+\.\d+$/;

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
    const { verdict, family } = item.opinion;
    const agreeing = item.answers
      .filter(
        (answer) => answer.verdict === verdict || (verdict === "benign" && answer.reason === "no-match"),
      )
      .toSorted((a, b) => b.confidence - a.confidence);
    const [lead] = agreeing;
    return { ...additionsOf(agreeing), malware_family: family, scanner: scannerOf(lead, versions) };
  });
}

/** What all add who agree, as far as there is room for all of it; otherwise what the surest adds. */
function additionsOf([lead, ...others]: readonly ScanAnswer[]): Record<string, unknown> {
  const own = acceptedMetadata(lead?.metadata ?? {});
  const all = others.reduce((sum, { metadata }) => joined(sum, acceptedMetadata(metadata)), own);
  return Buffer.byteLength(stringifyJson(all)) <= MAX_ADDED_BYTES ? all : own;
}

/** Keys whose lists are put together; of other keys the surer scanner's word stands. */
const LISTS = ["domains", "ip_addresses", "stix"];

function joined(
  surer: Readonly<Record<string, unknown>>,
  other: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  // How the surest came to its verdict is not how the others did.
  const { heuristic: _, ...more } = other;
  const both = LISTS.filter((key) => Object.hasOwn(surer, key) && Object.hasOwn(more, key));
  const lists = both.map((key) => [key, union(surer[key] as unknown[], more[key] as unknown[])] as const);
  return { ...more, ...surer, ...Object.fromEntries(lists) };
}

const union = (some: readonly unknown[], more: readonly unknown[]): readonly unknown[] => [
  ...new Map([...some, ...more].map((item) => [stringifyJson(item), item])).values(),
];

function scannerOf(lead: ScanAnswer | undefined, versions: { microengine: string }): Record<string, unknown> {
  const given = ScannerVersions.safeParse(lead?.metadata.scanner).data;
  const text = (key: "vendor_version" | "signatures_version"): Record<string, string> =>
    given?.[key] === undefined ? {} : { [key]: given[key] };
  return {
    ...(THREE_NUMBERS.test(lead?.scannerVersion ?? "") ? { version: lead?.scannerVersion } : {}),
    ...text("vendor_version"),
    ...text("signatures_version"),
    ...(THREE_NUMBERS.test(versions.microengine) ? { polyswarmclient_version: versions.microengine } : {}),
    environment: { operating_system: platform(), architecture: arch(), ...given?.environment },
  };
}
