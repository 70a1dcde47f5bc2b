import type { Clock } from "../../../domain/instant.ts";
import { MarketFault } from "./answer.ts";

/** What happens to a request on its way, before an answer can be read. */

/** A 429: everything pauses, and the request is repeated. */
export class RateLimit extends MarketFault {
  /** What the answer asked for, as seconds or as a date; undefined when it did not. */
  readonly pauseMs: number | undefined;

  constructor(what: string, retryAfter: string | string[] | undefined, clock: Clock) {
    super("MARKET_RATE_LIMITED", `The marketplace limits our rate (${what}).`, {
      status: 429,
      reached: "no",
      retryable: true,
    });
    const text = [retryAfter].flat()[0] ?? "";
    const date = Date.parse(text);
    const ms = /^\d+$/.test(text)
      ? Number(text) * 1_000
      : Number.isNaN(date)
        ? undefined
        : date - clock.now();
    this.pauseMs = ms === undefined ? undefined : Math.max(ms, 0);
  }
}

/** Asked after we had left, or cut short by our leaving. */
export const leftFault = ({ what }: { readonly what: string }): MarketFault =>
  new MarketFault("MARKET_LEFT", `We left the marketplace (${what}).`, {
    reached: "maybe",
    retryable: false,
  });

/** Before the connection stood, nothing can have arrived. */
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "EHOSTUNREACH",
]);

/** No answer at all: too late, or no connection. */
export function transitFault(
  { what }: { readonly what: string },
  error: unknown,
  { timedOut }: { timedOut: boolean },
): MarketFault {
  if (timedOut) {
    const sentence = `The marketplace did not answer in time (${what}).`;
    return new MarketFault("MARKET_TIMEOUT", sentence, { reached: "maybe", retryable: true });
  }
  const { code, message } = error as { code?: string; message?: string };
  const sentence = `The marketplace cannot be reached (${what}: ${code ?? message ?? "network error"}).`;
  const reached = NEVER_SENT.has(code ?? "") ? "no" : "maybe";
  return new MarketFault("MARKET_UNREACHABLE", sentence, { reached, retryable: true, cause: error });
}
