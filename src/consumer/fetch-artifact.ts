/**
 * Downloads artifacts within a deadline:
 *
 *     waiting for a place ► asking ──content, or a refusal that stays──► done
 *            ▲                 ├──a busy proxy, a broken connection──► pause, as long as there is time
 *            │                 └──not found──► pause, for some seconds at most, and only so many artifacts at a time
 *            └── each pause up to twice as long as the one before, and without a place ◄──┘
 *
 * The gateway gives IPFS a second and says 404 or `500 Timeout running ls` then, of an artifact that is slow to come as of
 * one that never will: so it is asked again, but not until the deadline, and it holds up no others meanwhile. Source:
 * protocol of the artifacts resource.
 */

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Dispatcher, request } from "undici";
import { backoff } from "../async/backoff.ts";
import { timeoutSignal, timerUntil } from "../async/long-timer.ts";
import type { Semaphore } from "../async/semaphore.ts";
import type { Clock } from "../domain/chain.ts";
import { ContentCodingError, codingsOf, decodedBody } from "../http/content-coding.ts";
import { openDispatcher } from "../http/dispatcher.ts";
import { redirectTarget } from "../http/redirect.ts";
import { artifactUrl, type GatewayAccess, gatewayBase } from "./artifact-address.ts";

export interface ArtifactRequest {
  readonly uri: string;
  readonly index: number;
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

export interface ArtifactSource extends AsyncDisposable {
  /** Never rejects. When the signal aborts the answer is `cancelled`, whatever made it abort. */
  fetch(request: ArtifactRequest, signal: AbortSignal): Promise<Fetched>;
}

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
  /** A request to the gateway holds a place, a pause between two requests does not. Default: there is no limit. */
  readonly downloads?: Pick<Semaphore, "enter">;
  /**
   * A download that pauses because its artifact is missing holds a place. Where there is none, it ends: each holds a job of
   * every backend that asked for it, and behind a crowd of them the jobs of ordinary bounties would wait. Default: no limit.
   */
  readonly missingWaits?: Pick<Semaphore, "enterAtOnce">;
}

/** Of one artifact: a gateway in trouble as a whole says 429, 502, 503 or 504, or nothing. */
const MISSING = new Set([404, 500]);
const RETRYABLE = new Set([408, 425, 429, 502, 503, 504]);

const KEEP_ALIVE_MS = 60_000;

type Answer = Pick<Dispatcher.ResponseData, "headers" | "body">;
type Attempt = Fetched | { readonly kind: "again"; readonly detail: string; readonly missing?: true };

const tooLarge = (limit: number): Attempt => ({
  kind: "too-large",
  detail: `The artifact is larger than ${limit} bytes.`,
});

/** The gateway's own limit for the caller: it says neither its size nor the artifact's. */
const tooLargeForKey = (statusCode: number): Attempt => ({
  kind: "too-large",
  detail: `The gateway does not hand it out to this API key, for which it is too large (HTTP ${statusCode}).`,
});

/** Throws ConfigFault when the gateway's address is not usable. */
export function openArtifactSource(access: GatewayAccess, policy: FetchPolicy): ArtifactSource {
  const base = gatewayBase(access);
  const headers = {
    // Artifacts are packed themselves, and unpacking costs a consumer more than a network saves. What comes encoded all the
    // same is decoded.
    "accept-encoding": "identity",
    ...(access.apiKey ? { authorization: access.apiKey } : {}),
  };
  const dispatcher = openDispatcher(access.proxy, {
    headersTimeout: policy.silenceMs,
    bodyTimeout: policy.silenceMs,
    // Bounties come some seconds apart; a new TLS handshake for each would be most of its time.
    keepAliveTimeout: KEEP_ALIVE_MS,
  });

  async function attempt(url: string, maxSizeBytes: number, signal: AbortSignal): Promise<Attempt> {
    const answer = await request(url, { dispatcher, headers, signal });
    const { statusCode, headers: answered, body } = answer;
    const target = redirectTarget(url, { statusCode, location: answered.location });
    if (target !== undefined) {
      hangUp(body);
      return { kind: "download-failed", detail: `The gateway points to ${target} (HTTP ${statusCode}).` };
    }
    if (statusCode !== 200) return refusal(statusCode, await readSome(answer));
    if (codingsOf(answered["content-encoding"]).length === 0 && lengthOf(answered) > maxSizeBytes) {
      hangUp(body);
      return tooLarge(maxSizeBytes);
    }
    return readContent(answer, maxSizeBytes);
  }

  async function attemptInPlace(url: string, maxSizeBytes: number, signal: AbortSignal): Promise<Attempt> {
    if (policy.downloads === undefined) return attempt(url, maxSizeBytes, signal);
    using place = await policy.downloads.enter(signal);
    if (place === undefined) return { kind: "again", detail: "too many downloads were before it" };
    // Awaited here, or the place would be given back before the answer has ended.
    return await attempt(url, maxSizeBytes, signal);
  }

  async function fetch(wanted: ArtifactRequest, signal: AbortSignal): Promise<Fetched> {
    const url = artifactUrl(base, wanted.uri, wanted.index);
    if (url === undefined) return { kind: "download-failed", detail: "The job names no valid artifact." };
    const remainingMs = (): number => wanted.deadline - policy.clock.now();
    const overdue = timeoutSignal(timerUntil(wanted.deadline, policy.clock.now()));
    const either = AbortSignal.any([signal, overdue]);
    const pauses = { firstMs: policy.pauseMs, longestMs: policy.maxPauseMs, random: policy.random };
    using waits = new DisposableStack();
    let missingSince: number | undefined;
    let why = "there was no time to ask";
    for (let failures = 1; !either.aborted; failures++) {
      const tried = await attemptInPlace(url, wanted.maxSizeBytes, either).catch(afterTrouble);
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
    if (signal.aborted && remainingMs() > 0)
      return { kind: "cancelled", detail: "The download was stopped." };
    return { kind: "download-failed", detail: `The artifact did not arrive in time: ${why}.` };
  }

  return { fetch, [Symbol.asyncDispose]: () => dispatcher.destroy() };
}

const notFound = (why: string): string => `The artifact is not to be had: ${why}`;

/** A connection that broke may hold the next time; an encoding that is not understood stays one. */
const afterTrouble = (error: unknown): Attempt =>
  error instanceof ContentCodingError
    ? { kind: "download-failed", detail: `The gateway's answer cannot be unpacked: ${error.message}.` }
    : { kind: "again", detail: error instanceof Error ? error.message || error.name : String(error) };

/** An answer that is left unread emits an error about that, which is ignored. */
const hangUp = (body: Answer["body"]): unknown => body.on("error", () => {}).destroy();

const lengthOf = (headers: Answer["headers"]): number => Number(headers["content-length"] ?? 0);

function refusal(statusCode: number, text: string): Attempt {
  if (statusCode === 413 || /too large/i.test(text)) return tooLargeForKey(statusCode);
  if (MISSING.has(statusCode)) {
    const words = /timeout running ls/i.test(text) ? " (Timeout running ls)" : "";
    return { kind: "again", missing: true, detail: `the gateway answers ${statusCode}${words}` };
  }
  if (RETRYABLE.has(statusCode)) return { kind: "again", detail: `the gateway answers ${statusCode}` };
  const advice = statusCode === 401 || statusCode === 403 ? "; check the API key" : "";
  return { kind: "download-failed", detail: `The gateway answers ${statusCode}${advice}.` };
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
