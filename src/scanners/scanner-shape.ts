/** What every backend says of itself, as a schema: a scanner module exports it, a backend described by a file states it. */
import { z } from "zod";
import { ARTIFACT_KINDS } from "../domain/artifact.ts";

/** Strict: a misspelt limit would let everything through. */
export const AcceptsShape = z.strictObject({
  kinds: z.array(z.enum(ARTIFACT_KINDS)).min(1).exactOptional(),
  types: z.array(z.string().min(1)).min(1).exactOptional(),
  maxSizeBytes: z.number().positive().exactOptional(),
});

/** Strict: a misspelt wish would not be heard. */
export const ConfinementShape = z.strictObject({
  read: z.array(z.string().min(1)).readonly().exactOptional(),
  addons: z.boolean().exactOptional(),
});

export const ScannerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be lower-case letters, digits and dashes");

export const ScannerVersion = z
  .string()
  .regex(/^\d+\.\d+\.\d+$/, "must be three numbers with dots, like 1.0.0");
