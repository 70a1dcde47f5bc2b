import { z } from "zod";
import { isAddress } from "../../../domain/address.ts";
import { MAX_ARTIFACTS } from "../../../domain/artifact.ts";
import { packBits } from "../../../domain/bits.ts";
import { parseGuid } from "../../../domain/guid.ts";
import { nct } from "../../../domain/nct.ts";
import { block } from "../port/block.ts";

/**
 * The gateway's ways to write things, read leniently: what is a decimal string in one place is a JSON integer of any
 * size in another, so every reader takes both.
 */

/** An unsigned integer of at most 256 bits. */
export const uint = z
  .union([z.string().regex(/^\d{1,100}$/), z.int().nonnegative(), z.bigint().nonnegative()])
  .transform((value) => BigInt(value))
  .refine((value) => value < 1n << 256n, "does not fit 256 bits");

/** An unsigned integer that counts something: blocks, artifacts, positions. */
export const wireCount = uint
  .refine((value) => value <= BigInt(Number.MAX_SAFE_INTEGER), "is too large to count with")
  .transform(Number);

export const amount = uint.transform(nct);
export const blockNumber = wireCount.transform(block);

export const wireAddress = z.string().refine(isAddress, "is not an address");

/** UUID text of any version: the contract takes any 128 bits. */
export const guid = z
  .string()
  .regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, "is not a GUID")
  .transform(parseGuid);

/** A list of booleans as the integer it stands for; null, where a verdict is not revealed, counts as false. */
export const bits = z
  .array(z.boolean().nullable())
  .max(MAX_ARTIFACTS)
  .transform((flags) => packBits(flags.map((flag) => flag === true)));

export const wireArtifactKind = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(["file", "url"]));

/** `0x` and whole bytes, at most 64 KiB: a reveal with the longest metadata needs two. */
export const callData = z.string().regex(/^0x([0-9a-fA-F]{2}){0,65536}$/, "is not call data");

/** Of a content address or of what stands in its place; the contract takes any text. */
export const MAX_URI_CHARS = 1_024;
