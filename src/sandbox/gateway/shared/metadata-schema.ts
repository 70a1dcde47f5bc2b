import { isIP } from "node:net";
import { z } from "zod";

/** A name pattern that is not anchored: anything with one letter, digit or underscore passes. */
const Domain = z.string().min(3).max(127).regex(/\w/);
const IpAddress = z.union([z.string().refine((text) => isIP(text) !== 0), z.int()]);
const Version = z.string().regex(/^[0-9]+([.][0-9]+)*$/);

const Scanner = z.looseObject({
  version: Version.nullish(),
  polyswarmclient_version: Version.nullish(),
  vendor_version: z.string().nullish(),
  signatures_version: z.string().nullish(),
  environment: z.record(z.string(), z.unknown()).nullish(),
});

const Heuristic = z.union([
  z.boolean(),
  z.literal([0, 1]),
  z.string().regex(/^(true|false|yes|no|on|off|t|f|y|n|0|1)$/i),
]);

/** One artifact's scan result. */
const Verdict = z.looseObject({
  malware_family: z.string(),
  domains: z.array(Domain).nullish(),
  ip_addresses: z.array(IpAddress).nullish(),
  stix: z.array(z.looseObject({ schema: z.string(), signature: z.unknown() })).nullish(),
  scanner: Scanner.nullish(),
  heuristic: Heuristic.nullish(),
});

const hexDigits = (length: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${length}}$`));

const FileClaim = z.looseObject({
  mimetype: z.string(),
  filename: z.string().nullish(),
  filesize: z.union([z.int().positive(), z.string().regex(/^0*[1-9]\d*$/)]).nullish(),
  sha256: hexDigits(64).nullish(),
  sha1: hexDigits(40).nullish(),
  md5: hexDigits(32).nullish(),
});

const UrlClaim = z.looseObject({
  protocol: z.string().nullable(),
  uri: z.string().refine((text) => URL.canParse(text)),
});

const listOf = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(256);

/** What an expert says of each artifact of a bounty, in index order. */
export const AssertionMetadata = listOf(Verdict);

/** What an ambassador says of each artifact of a bounty, in index order. */
export const BountyMetadata = listOf(z.union([FileClaim, UrlClaim]));
