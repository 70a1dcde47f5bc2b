/**
 * Jobs and answers as they travel, the same through Redis and between processes: plain JSON values.
 *
 * Written strictly: what does not fit the schema is never sent. Read leniently: unknown keys pass by, so that a
 * producer and its consumers may be upgraded one after the other. The two open-ended parts, `claim.raw` and
 * `metadata`, travel as JSON text because they may hold integers beyond 2^53, which the JSON of a queue would refuse.
 *
 * What names the artifact travels under one of two keys: `uri` is a content address, whose index is the job's
 * `artifactIndex`, as jobs have always had it; `url` is a URL. A consumer that does not know `url` yet answers such a job
 * `invalid-result`.
 */
import { z } from "zod";
import {
  ARTIFACT_KINDS,
  type ArtifactClaim,
  type ArtifactReference,
  isArtifactUrl,
  MAX_ARTIFACTS,
  MAX_REFERENCE_CHARS,
} from "../domain/artifact.ts";
import { type MarketId, marketIdSchema } from "../domain/bounty.ts";
import { Fault } from "../domain/fault.ts";
import { type Guid, isGuid } from "../domain/guid.ts";
import type { Instant } from "../domain/instant.ts";
import { NO_OPINION_REASONS, type ScanAnswer, type ScanJob, scanJobId } from "../domain/scan.ts";
import { VERDICTS } from "../domain/verdict.ts";
import { parseJson, stringifyJson } from "../json/json.ts";
import { invalidResult } from "./answer-without-opinion.ts";
import { isWithinBounds } from "./bounded-value.ts";

/** Characters of JSON text. A scanner that writes a novel would fill Redis and the assertion with it. */
const MAX_METADATA_CHARS = 256 * 1024;
const METADATA_BOUNDS = { depth: 64, values: 65_536 };
/** Of a whole job or answer: a few dozen values, and the types of one artifact. */
const MOST = { values: 1_024, chars: 2 * MAX_METADATA_CHARS };
/** Of what is told about one that is none: it may have a fault for each of its values. */
const MAX_ISSUES = 3;
const MAX_WHY_CHARS = 300;
const MAX_ID_CHARS = 1_024;

const guid = z.custom<Guid>((value) => typeof value === "string" && isGuid(value), "not a GUID");
const instantMs = z
  .number()
  .int()
  .transform((unixMs) => unixMs as Instant);
const artifactIndex = z
  .number()
  .int()
  .min(0)
  .max(MAX_ARTIFACTS - 1);
const count = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();
const record = z.record(z.string(), z.unknown());
const jsonText = z
  .string()
  .max(MAX_METADATA_CHARS)
  .transform((text, context): Record<string, unknown> => {
    try {
      return record.parse(parseJson(text, METADATA_BOUNDS));
    } catch {
      context.addIssue({ code: "custom", message: "not the JSON text of an object" });
      return z.NEVER;
    }
  });

const claimShape = {
  filename: z.string().exactOptional(),
  mimetype: z.string().exactOptional(),
  sizeBytes: count.exactOptional(),
  sha256: z.string().exactOptional(),
  raw: jsonText,
};

const URL_SHAPE = `not an https URL of ${MAX_REFERENCE_CHARS} characters at most, without user and password`;

const jobShape = {
  id: z.string(),
  guid,
  market: marketIdSchema,
  artifactIndex,
  backend: z.string().min(1),
  kind: z.enum(ARTIFACT_KINDS),
  uri: z.string().max(MAX_REFERENCE_CHARS).exactOptional(),
  url: z.string().refine(isArtifactUrl, URL_SHAPE).exactOptional(),
  deadline: instantMs,
  maxSizeBytes: count,
  dispatchedAt: instantMs,
};

const answerShape = {
  jobId: z.string(),
  guid,
  artifactIndex,
  backend: z.string().min(1),
  verdict: z.enum(VERDICTS),
  confidence: z.number().min(0).max(1),
  reason: z.enum(NO_OPINION_REASONS).exactOptional(),
  detail: z.string().exactOptional(),
  family: z.string().exactOptional(),
  metadata: jsonText,
  scannerVersion: z.string().exactOptional(),
  sha256: z.string().exactOptional(),
  sizeBytes: count.exactOptional(),
  types: z.array(z.string()),
  consumer: z.string(),
};
const timingsShape = { queuedMs: milliseconds, fetchMs: milliseconds, scanMs: milliseconds };

type AnyAnswer = {
  readonly jobId: string;
  readonly verdict: string;
  readonly reason?: string;
};
const saysWhy = (answer: AnyAnswer): boolean =>
  (answer.verdict === "unknown") === (answer.reason !== undefined);
const WHY = "a reason belongs to the verdict unknown and to no other";
const namesItself = (job: {
  id: string;
  market: MarketId;
  guid: Guid;
  artifactIndex: number;
  backend: string;
}) => job.id === scanJobId(job.market, job.guid, job.artifactIndex, job.backend);
const ID = "the id does not name this job";

const JobToWrite = z.strictObject({ ...jobShape, claim: z.strictObject(claimShape) }).refine(namesItself, ID);
/** Producers called the market by its chain, once. */
const withMarket = (job: unknown): unknown =>
  typeof job === "object" && job !== null && "chain" in job ? { market: job.chain, ...job } : job;
const JobToRead = z.preprocess(
  withMarket,
  z
    .object({ ...jobShape, claim: z.object(claimShape) })
    .refine(namesItself, ID)
    .transform(({ uri, url, ...job }, context) => {
      const artifact = referenceIn({ uri, url }, job.artifactIndex);
      if (artifact !== undefined) return { ...job, artifact };
      context.addIssue({
        code: "custom",
        message: "it names its artifact by a uri or by a url, and not by both",
      });
      return z.NEVER;
    }),
);

function referenceIn(
  { uri, url }: { readonly uri: string | undefined; readonly url: string | undefined },
  index: number,
): ArtifactReference | undefined {
  if (url === undefined) return uri === undefined ? undefined : { kind: "content", address: uri, index };
  return uri === undefined ? { kind: "url", url } : undefined;
}
const AnswerToWrite = z
  .strictObject({ ...answerShape, timings: z.strictObject(timingsShape) })
  .refine(saysWhy, WHY);
const AnswerToRead = z.object({ ...answerShape, timings: z.object(timingsShape) }).refine(saysWhy, WHY);

/** A job in the form that travels. */
export type WireJob = Omit<ScanJob, "claim" | "artifact"> & {
  readonly uri?: string;
  readonly url?: string;
  readonly claim: Omit<ArtifactClaim, "raw"> & { readonly raw: string };
};
/** An answer in the form that travels. */
export type WireAnswer = Omit<ScanAnswer, "metadata"> & { readonly metadata: string };

/** Throws Fault SCAN_JOB_INVALID: a job that breaks its own schema is a mistake of ours, not of the market. */
export function encodeJob(job: ScanJob): WireJob {
  const { artifact, ...rest } = job;
  const named = artifact.kind === "content" ? { uri: artifact.address } : { url: artifact.url };
  const wire = { ...rest, ...named, claim: { ...present(job.claim), raw: stringifyJson(job.claim.raw) } };
  const checked = JobToWrite.safeParse(wire);
  // The index of a content reference does not travel.
  const strays = artifact.kind === "content" && artifact.index !== job.artifactIndex;
  if (checked.success && !strays) return wire;
  const why = checked.success ? "its reference has another index" : explain(checked.error);
  throw new Fault("SCAN_JOB_INVALID", `Job ${job.id} cannot be sent: ${why}.`);
}

/** Undefined, with the reason told to `refused`, for data that is no job. */
export function decodeJob(data: unknown, refused: (why: string) => void): ScanJob | undefined {
  if (!isWithinBounds(data, MOST)) {
    refused(TOO_MUCH);
    return undefined;
  }
  const read = JobToRead.safeParse(data);
  if (!read.success) refused(explain(read.error));
  return read.data;
}

/** What a handler said of a job, or `unknown` with the reason invalid-result where that is not an answer to it. */
export function encodeAnswer(job: ScanJob, answer: ScanAnswer): WireAnswer {
  try {
    const wire = { ...present(answer), metadata: stringifyJson(answer.metadata) };
    const checked = AnswerToWrite.safeParse(wire);
    if (checked.success && answer.jobId === job.id) return wire;
    const why = checked.success ? `it answers ${answer.jobId}` : explain(checked.error);
    return { ...invalidResult(job, why, answer.consumer), metadata: "{}" };
  } catch (error) {
    return { ...invalidResult(job, String(error), "unnamed"), metadata: "{}" };
  }
}

/**
 * The answer to the job with this id. Anything that is not an answer to it becomes `unknown` with the reason
 * invalid-result; undefined only when the id itself is none of ours.
 */
export function decodeAnswer(jobId: string, data: unknown): ScanAnswer | undefined {
  const job = parseScanJobId(jobId);
  if (job === undefined) return undefined;
  if (!isWithinBounds(data, MOST)) return invalidResult(job, TOO_MUCH, "unnamed");
  const read = AnswerToRead.safeParse(data);
  if (!read.success) return invalidResult(job, explain(read.error), "unnamed");
  const answer = read.data;
  const aboutIt =
    answer.jobId === jobId &&
    answer.guid === job.guid &&
    answer.artifactIndex === job.artifactIndex &&
    answer.backend === job.backend;
  return aboutIt ? answer : invalidResult(job, `it answers ${answer.jobId}`, answer.consumer);
}

/** What the id of a job says of it. Undefined when `scanJobId` did not make it. */
export function parseScanJobId(id: string): Pick<ScanJob, JobName> | undefined {
  if (id.length > MAX_ID_CHARS) return undefined;
  const [, name, guid, index, backend] = /^([^-]+)-([0-9a-f-]{36})-(\d{1,3})-(.+)$/.exec(id) ?? [];
  if (guid === undefined || backend === undefined || !isGuid(guid)) return undefined;
  const artifactIndex = Number(index);
  const { data: market } = marketIdSchema.safeParse(name);
  if (market === undefined || artifactIndex >= MAX_ARTIFACTS) return undefined;
  const job = { id, market, guid, artifactIndex, backend };
  return namesItself(job) ? job : undefined;
}
type JobName = "id" | "market" | "guid" | "artifactIndex" | "backend";

/** JSON drops keys that hold undefined; a schema that sees the value before JSON does would refuse them. */
const present = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;

const TOO_MUCH = "it holds more than any job or answer does";

const explain = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, MAX_ISSUES)
    .map((issue) => [issue.path.join("."), issue.message].filter(Boolean).join(": "))
    .join("; ")
    .slice(0, MAX_WHY_CHARS);
