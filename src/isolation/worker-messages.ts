/**
 * What a consumer and a scan worker say to each other over Node's IPC channel (structured clone, so that bytes stay
 * bytes). The worker runs code that reads hostile files: what it says is checked like anything from outside.
 */
import { z } from "zod";
import { ARTIFACT_KINDS, type ArtifactClaim } from "../domain/artifact.ts";
import { ConfinementShape } from "../scanners/scanner-shape.ts";

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, "must be bytes");

export const ToWorker = z.discriminatedUnion("type", [
  /** Load the module and, unless it is only asked what it is, call its `setup`. `directory` is the worker's own. */
  z.object({
    type: z.literal("open"),
    moduleUrl: z.string(),
    settings: z.record(z.string(), z.unknown()),
    setUp: z.boolean(),
    directory: z.string(),
    /** What another process of the same scanner left. */
    inherited: z.unknown(),
    /** Whether it is the one that may take long. */
    lead: z.boolean(),
  }),
  z.object({
    type: z.literal("scan"),
    id: z.int(),
    kind: z.enum(ARTIFACT_KINDS),
    /** Or the beginning of a file in the worker's directory; one that is `kept` is overwritten by the next scan. */
    content: z.union([
      z.object({ bytes }),
      z.object({ path: z.string(), sizeBytes: z.int(), kept: z.boolean() }),
    ]),
    sha256: z.string(),
    types: z.array(z.string()).readonly(),
    claim: z.custom<ArtifactClaim>((value) => typeof value === "object" && value !== null),
    deadline: z.number(),
  }),
  /** Tear down and exit. */
  z.object({ type: z.literal("close") }),
]);
export type ToWorker = z.infer<typeof ToWorker>;
export type OpenMessage = Extract<ToWorker, { type: "open" }>;
export type ScanMessage = Extract<ToWorker, { type: "scan" }>;

export const FromWorker = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("ready"),
    description: z.object({
      name: z.string(),
      version: z.string(),
      accepts: z.object({
        kinds: z.array(z.enum(ARTIFACT_KINDS)).readonly().exactOptional(),
        types: z.array(z.string()).readonly().exactOptional(),
        maxSizeBytes: z.number().exactOptional(),
      }),
    }),
  }),
  /** Loaded, and asks to be started anew within bounds. */
  z.object({ type: z.literal("confine"), confinement: ConfinementShape }),
  /** The module cannot be used at all; the fault, taken apart. */
  z.object({
    type: z.literal("refused"),
    code: z.string(),
    message: z.string(),
    hint: z.string().exactOptional(),
  }),
  /** For the operator, at any time. */
  z.object({ type: z.literal("told"), level: z.enum(["info", "warn"]), sentence: z.string() }),
  /** For the processes that will come after this one, at any time. */
  z.object({ type: z.literal("bequeathed"), state: z.unknown() }),
  /** For the metrics, at any time. */
  z.object({ type: z.literal("measured"), name: z.string().regex(/^[a-z][a-z_]{0,31}$/), value: z.number() }),
  /** What `check` of the scanner says, whenever that changes; without a trouble it can be used. */
  z.object({ type: z.literal("condition"), trouble: z.string().exactOptional() }),
  z.object({ type: z.literal("finding"), id: z.int(), finding: z.unknown() }),
  /** `thrown`: the scanner threw. `unsendable`: what it returned cannot even be copied. */
  z.object({ type: z.enum(["thrown", "unsendable"]), id: z.int(), message: z.string() }),
]);
export type FromWorker = z.infer<typeof FromWorker>;
