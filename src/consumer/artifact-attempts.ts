/**
 * Downloads an artifact within a deadline, whatever address it is asked for at:
 *
 *     waiting for a place ► asking ──content, or a refusal that stays──► done
 *            ▲                 ├──a busy proxy, a broken connection──► pause, as long as there is time
 *            │                 └──not found──► pause, for some seconds at most, and only so many artifacts at a time
 *            └── each pause up to twice as long as the one before, and without a place ◄──┘
 *
 * The gateway gives IPFS a second and says 404 or `500 Timeout running ls` then, of an artifact that is slow to come as of
 * one that never will: so it is asked again, but not until the deadline, and it holds up no others meanwhile. Source:
 * protocol of the artifacts resource. What a URL names may be on its way to its server in the same way.
 */

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { backoff } from "../async/backoff.ts";
import { timeoutSignal, timerUntil } from "../async/long-timer.ts";
import type { Semaphore } from "../async/semaphore.ts";
import { Fault } from "../domain/fault.ts";
import type { Clock } from "../domain/instant.ts";
import { ContentCodingError, codingsOf, decodedBody } from "../http/content-coding.ts";
import { redirectTarget } from "../http/redirect.ts";

/** How an artifact is asked for, once. */
export interface ArtifactQuery {
  readonly url: string;
  /** What answers there, for people. */
  readonly by: "gateway" | "server";
  /** Throws a Fault for what is not to be asked again. */
  ask(signal: AbortSignal): Promise<Dispatcher.ResponseData>;
  /** What a refusal says that does not say the same everywhere. */
  refused?(statusCode: number, text: string): FetchFailure | undefined;
}

/** How much is taken, and until when. */
export interface FetchLimits {
  readonly maxSizeBytes: number;
  /** Unix milliseconds after which the content is worthless. */
  readonly deadline: number;
}

export interface ArtifactContent {
  readonly kind: "content";
  readonly bytes: Uint8Array;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface FetchFailure {
  readonly kind: "too-large" | "download-failed" | "cancelled";
  readonly detail: string;
}

export type Fetched = ArtifactContent | FetchFailure;

export interface FetchPolicy {
  readonly clock: Clock;
  /** 0..1, spreads the pauses of many consumers apart. */
  readonly random: () => number;
  /** A response that says nothing for this long is given up and asked for again. */
  readonly silenceMs: number;
  /** Of the first pause; each is up to twice as long as the one before. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
  /** An artifact that stays missing for this long is given up. */
  readonly missingMs: number;
  /** A request holds a place, a pause between two requests does not. Default: there is no limit. */
  readonly downloads?: Pick<Semaphore, "enter">;
  /**
   * A download that pauses because its artifact is missing holds a place. Where there is none, it ends: each holds a job of
   * every backend that asked for it, and behind a crowd of them the jobs of ordinary bounties would wait. Default: no limit.
   */
  readonly missingWaits?: Pick<Semaphore, "enterAtOnce">;
}

/** Of one artifact: a server in trouble as a whole says 429, 502, 503 or 504, or nothing. */
const MISSING = new Set([404, 500]);
const RETRYABLE = new Set([408, 425, 429, 502, 503, 504]);

type Answer = Pick<Dispatcher.ResponseData, "headers" | "body">;
type Attempt = Fetched | { readonly kind: "again"; readonly detail: string; readonly missing?: true };

const tooLarge = (limit: number): Attempt => ({
  kind: "too-large",
  detail: `The artifact is larger than ${limit} bytes.`,
});

/** Never rejects. When the signal aborts the answer is `cancelled`, whatever made it abort. */
export async function fetchWithin(
  query: ArtifactQuery,
  limits: FetchLimits,
  policy: FetchPolicy,
  signal: AbortSignal,
): Promise<Fetched> {
  const remainingMs = (): number => limits.deadline - policy.clock.now();
  const overdue = timeoutSignal(timerUntil(limits.deadline, policy.clock.now()));
  const either = AbortSignal.any([signal, overdue]);
  const pauses = { firstMs: policy.pauseMs, longestMs: policy.maxPauseMs, random: policy.random };
  using waits = new DisposableStack();
  let missingSince: number | undefined;
  let why = "there was no time to ask";
  for (let failures = 1; !either.aborted; failures++) {
    const trying = attemptInPlace(query, limits.maxSizeBytes, policy, either);
    const tried = await trying.catch((error: unknown) => afterTrouble(error, query));
    if (tried.kind !== "again") return tried;
    if (!either.aborted) why = tried.detail;
    const restMs = backoff(failures, pauses);
    if (restMs >= remainingMs()) break;
    if (tried.missing === true && missingSince === undefined) {
      missingSince = policy.clock.now();
      const place = policy.missingWaits?.enterAtOnce();
      if (policy.missingWaits !== undefined && place === undefined)
        return { kind: "download-failed", detail: `${notFound(why)}, and others are waited for already.` };
      waits.use(place);
    }
    if (missingSince !== undefined && policy.clock.now() - missingSince >= policy.missingMs)
      return { kind: "download-failed", detail: `${notFound(why)}.` };
    await sleep(restMs, undefined, { signal: either }).catch(() => {});
  }
  if (signal.aborted && remainingMs() > 0) return { kind: "cancelled", detail: "The download was stopped." };
  return { kind: "download-failed", detail: `The artifact did not arrive in time: ${why}.` };
}

async function attemptInPlace(
  query: ArtifactQuery,
  maxSizeBytes: number,
  { downloads }: FetchPolicy,
  signal: AbortSignal,
): Promise<Attempt> {
  if (downloads === undefined) return attempt(query, maxSizeBytes, signal);
  using place = await downloads.enter(signal);
  if (place === undefined) return { kind: "again", detail: "too many downloads were before it" };
  // Awaited here, or the place would be given back before the answer has ended.
  return await attempt(query, maxSizeBytes, signal);
}

async function attempt(query: ArtifactQuery, maxSizeBytes: number, signal: AbortSignal): Promise<Attempt> {
  const answer = await query.ask(signal);
  const { statusCode, headers, body } = answer;
  const target = redirectTarget(query.url, { statusCode, location: headers.location });
  if (target !== undefined) {
    hangUp(body);
    return { kind: "download-failed", detail: `The ${query.by} points to ${target} (HTTP ${statusCode}).` };
  }
  if (statusCode !== 200) return refusal(query, statusCode, await readSome(answer));
  if (codingsOf(headers["content-encoding"]).length === 0 && lengthOf(headers) > maxSizeBytes) {
    hangUp(body);
    return tooLarge(maxSizeBytes);
  }
  return readContent(answer, maxSizeBytes);
}

const notFound = (why: string): string => `The artifact is not to be had: ${why}`;

/** A connection that broke may hold the next time; an encoding that is not understood, or an address, stays what it is. */
function afterTrouble(error: unknown, { by }: ArtifactQuery): Attempt {
  if (error instanceof Fault) return { kind: "download-failed", detail: error.message };
  return error instanceof ContentCodingError
    ? { kind: "download-failed", detail: `The ${by}'s answer cannot be unpacked: ${error.message}.` }
    : { kind: "again", detail: error instanceof Error ? error.message || error.name : String(error) };
}

/** An answer that is left unread emits an error about that, which is ignored. */
const hangUp = (body: Answer["body"]): unknown => body.on("error", () => {}).destroy();

const lengthOf = (headers: Answer["headers"]): number => Number(headers["content-length"] ?? 0);

function refusal(query: ArtifactQuery, statusCode: number, text: string): Attempt {
  const known = query.refused?.(statusCode, text);
  if (known !== undefined) return known;
  const answers = `the ${query.by} answers ${statusCode}`;
  if (MISSING.has(statusCode)) {
    const words = /timeout running ls/i.test(text) ? " (Timeout running ls)" : "";
    return { kind: "again", missing: true, detail: `${answers}${words}` };
  }
  if (RETRYABLE.has(statusCode)) return { kind: "again", detail: answers };
  return { kind: "download-failed", detail: `The ${query.by} answers ${statusCode}.` };
}

/** The length header may be missing or a lie, so the limit is held while reading. */
async function readContent(answer: Answer, maxSizeBytes: number): Promise<Attempt> {
  const chunks: Buffer[] = [];
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of decodedBody(answer, { maxBytes: maxSizeBytes, end: "whole" })) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxSizeBytes) return tooLarge(maxSizeBytes); // leaving the loop ends the download
    hash.update(chunk);
    chunks.push(chunk);
  }
  return { kind: "content", bytes: Buffer.concat(chunks, sizeBytes), sha256: hash.digest("hex") };
}

/** The beginning of an error body; the rest is not waited for. */
async function readSome(answer: Answer): Promise<string> {
  let text = "";
  for await (const chunk of decodedBody(answer, { maxBytes: 8_192, end: "may-be-cut" })) {
    text += chunk.toString("latin1");
    if (text.length > 4096) break;
  }
  return text;
}
