/**
 * One question to a service. "Not now" (429, 503, a connection closed before the answer) is asked again with growing
 * pauses, or after the pause that the service wants, as long as that is before the deadline; everything else is final.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Dispatcher, errors, request } from "undici";
import { backoff } from "../../async/backoff.ts";
import { describeError, Fault } from "../../domain/fault.ts";
import { ContentCodingError, decodedBody } from "../../http/content-coding.ts";
import { redirectTarget } from "../../http/redirect.ts";

interface Question {
  readonly method: "POST" | "PUT" | "GET";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Nothing is sent without one. */
  readonly body: Uint8Array | undefined;
}

interface PostTerms {
  readonly agent: Dispatcher;
  /** Of the answer, decoded. */
  readonly maxAnswerBytes: number;
  readonly signal: AbortSignal;
  /** Unix milliseconds. */
  readonly deadline: number;
  readonly now: () => number;
  /** 0..1, spreads the pauses of many scans apart. */
  readonly random: () => number;
}

interface Reply {
  readonly status: number;
  readonly text: string;
  /** Where the answer points, if it does. */
  readonly target: string | undefined;
}

const NOT_NOW = new Set([429, 503]);
const PAUSES = { firstMs: 50, longestMs: 2_000 };
/** A service that closes connections this often is broken, not busy. */
const MAX_CLOSED = 3;

/** Throws Fault SERVICE_FAILED, SERVICE_OVERDUE or SERVICE_ANSWER_SIZE. */
export async function post(question: Question, terms: PostTerms): Promise<Reply> {
  const { signal, deadline, now, random } = terms;
  let closed = 0;
  for (let failures = 1; ; failures++) {
    const tried = await attempt(question, terms);
    if ("text" in tried && !NOT_NOW.has(tried.status)) return tried;
    const final = "text" in tried ? tried : undefined;
    if ("fault" in tried && ++closed >= MAX_CLOSED) throw tried.fault;
    const restMs = final?.waitMs ?? backoff(failures, { ...PAUSES, random });
    if (now() + restMs >= deadline) {
      if ("fault" in tried) throw tried.fault;
      return tried;
    }
    await sleep(restMs, undefined, { signal }).catch(() => {
      throw overdue();
    });
  }
}

type Attempt = (Reply & { readonly waitMs?: number }) | { readonly fault: Fault };

async function attempt(
  { method, url, headers, body }: Question,
  { agent, maxAnswerBytes, signal, now }: PostTerms,
): Promise<Attempt> {
  try {
    const answer = await request(url, { dispatcher: agent, method, headers, body: body ?? null, signal });
    const text = await readWithin(answer, maxAnswerBytes);
    const waitMs = pauseWanted(answer.headers["retry-after"], now());
    const { statusCode: status, headers: answered } = answer;
    const target = redirectTarget(url, { statusCode: status, location: answered.location });
    return { status, text, target, ...(waitMs === undefined ? {} : { waitMs }) };
  } catch (error) {
    if (signal.aborted) throw overdue();
    if (error instanceof errors.ResponseExceededMaxSizeError) throw oversized();
    if (error instanceof Fault) throw error;
    if (error instanceof ContentCodingError)
      throw new Fault("SERVICE_FAILED", `The service's answer cannot be unpacked: ${error.message}.`);
    const fault = new Fault("SERVICE_FAILED", `The service gave no answer: ${describeError(error)}.`, {
      cause: error,
    });
    if (isClosed(error)) return { fault };
    throw fault;
  }
}

async function readWithin(answer: Dispatcher.ResponseData, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of decodedBody(answer, { maxBytes, end: "whole" })) {
    length += chunk.length;
    // Leaving the loop ends the connection.
    if (length > maxBytes) throw oversized();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const oversized = (): Fault =>
  new Fault("SERVICE_ANSWER_SIZE", "The service's answer is larger than this backend allows.");

/** Of `Retry-After`: seconds or a date. */
function pauseWanted(header: string | string[] | undefined, nowMs: number): number | undefined {
  if (typeof header !== "string") return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(PAUSES.firstMs, ms);
}

const isClosed = (error: unknown): boolean =>
  error instanceof errors.SocketError || (error as { code?: unknown }).code === "ECONNRESET";

const overdue = (): Fault => new Fault("SERVICE_OVERDUE", "The service did not answer before the deadline.");
