/**
 * What the marketplace accepts of the metadata that a scanner adds to an assertion: the rules that every version of its
 * schema agrees on. Keys without a rule are accepted as they are. Source: protocol of the metadata schemas, section 4.
 */
import { isIP } from "node:net";
import { z } from "zod";

const RULES: Readonly<Record<string, { readonly shape: z.ZodType; readonly right: string }>> = {
  domains: {
    shape: z.array(z.string().min(3).max(127).regex(/\w/)).min(1),
    right: "a list of texts of 3 to 127 characters",
  },
  ip_addresses: {
    shape: z.array(z.string().refine((text) => isIP(text) !== 0)).min(1),
    right: "a list of IPv4 or IPv6 addresses",
  },
  stix: {
    shape: z
      .array(
        z.looseObject({ schema: z.string(), signature: z.unknown() }).refine((item) => "signature" in item),
      )
      .min(1),
    right: "a list of { schema, signature }",
  },
  heuristic: { shape: z.boolean(), right: "true or false" },
};

/** Filled in from the finding and the scanner, whatever a scanner says. */
const NOT_A_SCANNERS = ["malware_family", "scanner"];

/** What the schema takes of a scanner's metadata. The rest would make it refuse the whole assertion. */
export const acceptedMetadata = (metadata: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(metadata).filter(
      ([key, value]) =>
        !NOT_A_SCANNERS.includes(key) &&
        value !== null &&
        value !== undefined &&
        complaintOf(key, value) === null,
    ),
  );

/** A sentence for everything in a scanner's metadata that will not be published. */
export function metadataComplaints(metadata: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(metadata).flatMap(([key, value]) => complaintOf(key, value) ?? []);
}

const ScannerVersions = z.looseObject({
  vendor_version: z.string().optional(),
  signatures_version: z.string().optional(),
});

function complaintOf(key: string, value: unknown): string | null {
  if (key === "malware_family") return "metadata.malware_family is left out: say family in the finding.";
  if (key === "scanner") {
    const right = ScannerVersions.safeParse(value).success;
    return right ? null : "metadata.scanner must be { vendor_version, signatures_version }, both text.";
  }
  if (value === null || value === undefined) return null;
  const rule = RULES[key];
  if (rule === undefined || rule.shape.safeParse(value).success) return null;
  return `metadata.${key} is left out: it must be ${rule.right}.`;
}
