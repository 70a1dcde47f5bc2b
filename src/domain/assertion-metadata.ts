/**
 * What the marketplace accepts of the metadata that a scanner adds to an assertion: the rules that every version of its
 * schema agrees on. Keys without a rule are accepted as they are. Source: protocol of the metadata schemas, section 4.
 */
import { isIP } from "node:net";
import { z } from "zod";
import { stringifyJson } from "../json/json.ts";

/**
 * Of what scanners add to one artifact, as JSON. The gateway fetches the metadata of all 256 artifacts of a bounty for
 * everybody, and gives itself a second for it.
 */
export const MAX_ADDED_BYTES = 16_384;

/** With a zone (`fe80::1%eth0`) it is an address to some readers only. */
const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes("%");

const Indicators = z
  .array(z.looseObject({ schema: z.string(), signature: z.unknown() }).refine((item) => "signature" in item))
  .min(1);

const RULES: Readonly<Record<string, { readonly shape: z.ZodType; readonly right: string }>> = {
  domains: {
    shape: z
      .array(
        z
          .string()
          .regex(/^.{3,127}$/su)
          .regex(/[\p{L}\p{N}_]/u),
      )
      .min(1),
    right: "a list of texts of 3 to 127 characters",
  },
  ip_addresses: {
    shape: z.array(z.string().refine(isAddress)).min(1),
    right: "a list of IPv4 or IPv6 addresses",
  },
  stix: { shape: Indicators, right: "a list of { schema, signature }" },
  // What older versions of the schema call it.
  stix_signatures: { shape: Indicators, right: "a list of { schema, signature }" },
  heuristic: { shape: z.boolean(), right: "true or false" },
};

/** Filled in from the finding and the scanner, whatever a scanner says. */
const NOT_A_SCANNERS = ["malware_family", "scanner"];

/** A scanner's metadata, sorted into what is published and why the rest is not. */
interface Sorted {
  readonly accepted: Readonly<Record<string, unknown>>;
  /** A sentence for everything that will not be published. */
  readonly complaints: readonly string[];
}

/** What the schema takes of a scanner's metadata, and no more than has room. The rest would cost the whole assertion. */
export const acceptedMetadata = (metadata: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  ...sorted(metadata).accepted,
});

/** A sentence for everything in a scanner's metadata that will not be published. */
export const metadataComplaints = (metadata: Readonly<Record<string, unknown>>): readonly string[] =>
  sorted(metadata).complaints;

function sorted(metadata: Readonly<Record<string, unknown>>): Sorted {
  const given = Object.entries(metadata).filter(([, value]) => value !== null && value !== undefined);
  const invalid = given.flatMap(([key, value]) => complaintOf(key, value) ?? []);
  const valid = given.filter(
    ([key, value]) => !NOT_A_SCANNERS.includes(key) && complaintOf(key, value) === null,
  );
  const kept = fitting(valid);
  const tooLarge = valid.filter(([key]) => !kept.has(key)).map(([key]) => `metadata.${key} ${NO_ROOM}`);
  return {
    accepted: Object.fromEntries(valid.filter(([key]) => kept.has(key))),
    complaints: [...invalid, ...tooLarge],
  };
}

/** The keys for which there is room, the smallest first: left out is the one dump, not the ten facts beside it. */
function fitting(entries: readonly (readonly [key: string, value: unknown])[]): ReadonlySet<string> {
  const bySize = entries
    .map(([key, value]) => ({ key, bytes: Buffer.byteLength(stringifyJson({ [key]: value })) }))
    .toSorted((a, b) => a.bytes - b.bytes);
  const kept = new Set<string>();
  let left = MAX_ADDED_BYTES;
  for (const { key, bytes } of bySize) {
    left -= bytes;
    if (left >= 0) kept.add(key);
  }
  return kept;
}

const NO_ROOM = `is left out: all that is added to one artifact may have ${MAX_ADDED_BYTES} bytes as JSON.`;

const text = z.string().optional();

/** What is taken of a scanner's word on itself. */
export const ScannerVersions = z.looseObject({
  vendor_version: text,
  signatures_version: text,
  environment: z.looseObject({ operating_system: text, architecture: text }).optional(),
});

function complaintOf(key: string, value: unknown): string | null {
  if (key === "malware_family") return "metadata.malware_family is left out: say family in the finding.";
  if (key === "scanner") {
    const right = ScannerVersions.safeParse(value).success;
    return right
      ? null
      : "metadata.scanner must be { vendor_version, signatures_version, environment }: texts, and an object of texts.";
  }
  const rule = Object.hasOwn(RULES, key) ? RULES[key] : undefined;
  if (rule === undefined || rule.shape.safeParse(value).success) return null;
  return `metadata.${key} is left out: it must be ${rule.right}.`;
}
