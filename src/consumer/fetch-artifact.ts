/**
 * Downloads artifacts within a deadline. The gateway reports a slow IPFS as 404 and a busy proxy as 429 or 5xx, so
 * those are tried again, with growing pauses, as long as there is time; a 404 only for a while, because an artifact that
 * is never to be had would hold a scan's place until its deadline. Source: protocol of the artifacts resource.
 */

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Dispatcher, request } from "undici";
import type { Clock } from "../domain/chain.ts";
import { ContentCodingError, codingOf, decodedBody } from "../http/content-coding.ts";
import { openDispatcher } from "../http/dispatcher.ts";
import { redirectTarget } from "../http/redirect.ts";
import { artifactUrl, type GatewayAccess, gatewayBase } from "./artifact-address.ts";
import { timerUntil } from "./timer.ts";

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
  /** An artifact that stays missing (404) for this long is given up. */
  readonly missingMs: number;
}

const MISSING = "the gateway answers 404";
const RETRYABLE = new Set([404, 408, 425, 429, 500, 502, 503, 504]);

const KEEP_ALIVE_MS = 60_000;

type Answer = Pick<Dispatcher.ResponseData, "headers" | "body">;
type Attempt = Fetched | { readonly kind: "again"; readonly detail: string };

const tooLarge = (limit: number): Attempt => ({
  kind: "too-large",
  detail: `The artifact is larger than ${limit} bytes.`,
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
    if (statusCode !== 200) return refusal(statusCode, await readSome(answer), maxSizeBytes);
    if (codingOf(answered["content-encoding"]) === undefined && lengthOf(answered) > maxSizeBytes) {
      hangUp(body);
      return tooLarge(maxSizeBytes);
    }
    return readContent(answer, maxSizeBytes);
  }

  async function fetch(wanted: ArtifactRequest, signal: AbortSignal): Promise<Fetched> {
    const url = artifactUrl(base, wanted.uri, wanted.index);
    if (url === undefined) return { kind: "download-failed", detail: "The job names no valid artifact." };
    const remainingMs = (): number => wanted.deadline - policy.clock.now();
    const overdue = AbortSignal.timeout(timerUntil(wanted.deadline, policy.clock.now()));
    const either = AbortSignal.any([signal, overdue]);
    const missingUntil = policy.clock.now() + policy.missingMs;
    let why = "there was no time to ask";
    for (let pauseMs = policy.pauseMs; !either.aborted; pauseMs = Math.min(2 * pauseMs, policy.maxPauseMs)) {
      const tried = await attempt(url, wanted.maxSizeBytes, either).catch(afterTrouble);
      if (tried.kind !== "again") return tried;
      if (!either.aborted) why = tried.detail;
      const restMs = pauseMs * (0.5 + policy.random() / 2);
      if (restMs >= remainingMs()) break;
      if (why === MISSING && policy.clock.now() >= missingUntil) break;
      await sleep(restMs, undefined, { signal: either }).catch(() => {});
    }
    if (signal.aborted && remainingMs() > 0)
      return { kind: "cancelled", detail: "The download was stopped." };
    return { kind: "download-failed", detail: `The artifact did not arrive in time: ${why}.` };
  }

  return { fetch, [Symbol.asyncDispose]: () => dispatcher.destroy() };
}

/** A connection that broke may hold the next time; an encoding that is not understood stays one. */
const afterTrouble = (error: unknown): Attempt =>
  error instanceof ContentCodingError
    ? { kind: "download-failed", detail: `The gateway's answer cannot be unpacked: ${error.message}.` }
    : { kind: "again", detail: error instanceof Error ? error.message || error.name : String(error) };

/** An answer that is left unread complains of that, to nobody. */
const hangUp = (body: Answer["body"]): unknown => body.on("error", () => {}).destroy();

const lengthOf = (headers: Answer["headers"]): number => Number(headers["content-length"] ?? 0);

function refusal(statusCode: number, text: string, maxSizeBytes: number): Attempt {
  if (statusCode === 413 || /too large/i.test(text)) return tooLarge(maxSizeBytes);
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
