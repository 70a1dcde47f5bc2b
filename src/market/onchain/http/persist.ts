import { backoff } from "../../../async/backoff.ts";
import type { Timers } from "../../../async/timers.ts";
import { MarketFault } from "./answer.ts";
import type { Ask } from "./ask.ts";
import { hedge } from "./hedge.ts";
import type { InFlight } from "./in-flight.ts";
import { shareOf } from "./in-flight.ts";
import type { Pacer } from "./pacing.ts";
import { RateLimit } from "./transit-faults.ts";

/** What a request goes through, whatever carries it. */
interface PersistParts {
  readonly timers: Timers;
  readonly pacer: Pick<Pacer, "pass" | "close">;
  readonly inFlight: InFlight;
  /** 0 <= random() < 1. */
  readonly random: () => number;
  /** Attempts at a repeatable request, the first included. */
  readonly attempts: number;
  /** Wait before the second attempt; doubles with each. */
  readonly backoffMs: number;
  /** Pause of everything after a 429 that does not say how long. */
  readonly pauseMs: number;
  /** A request that keeps being rate limited is given up after this. */
  readonly patienceMs: number;
  /** Whether another attempt is in vain. Default: never. */
  readonly gone?: () => boolean;
  /** For a request whose patience ends in the pause of a rate limit, before it was sent. */
  readonly rateLimit: (what: string) => RateLimit;
}

/** One exchange: rejects with a MarketFault, or with the reason of the caller's signal. */
export type Attempt<T> = (how: {
  /** Of this attempt, answer included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}) => Promise<T>;

const TIMEOUT_MS = 10_000;
const LONGEST_TIMEOUT_MS = 60_000;

/**
 * Carries a request to its answer:
 *
 *     waiting for the pause ► waiting for a slot ► on its way ──answer─────────────────────────────► done
 *          ▲                                         │ └──nothing for `hedgeMs`──► on its way twice
 *          └───────── pause ◄──429, or trouble that may pass and may be repeated ──┘
 *
 * What a gateway takes longer for than was waited is waited for twice as long the next time: a time-out that stays the
 * same would ask for ever what is answered a second too late each time.
 */
export async function persist<T>(ask: Ask, attempt: Attempt<T>, parts: PersistParts): Promise<T> {
  const { attempts, backoffMs, pauseMs, random, pacer, timers } = parts;
  const repeatable = ask.repeatable ?? ask.method === "GET";
  const giveUpAt = timers.now() + (ask.patienceMs ?? parts.patienceMs);
  const impatience = ask.patienceMs === undefined ? undefined : timers.timeout(ask.patienceMs);
  let timeoutMs = ask.timeoutMs ?? TIMEOUT_MS;
  for (let failures = 0; ; ) {
    await pass(ask, impatience, parts);
    try {
      return await send(ask, attempt, timeoutMs, parts);
    } catch (error) {
      if (!(error instanceof MarketFault) || !mayPass(ask, error)) throw error;
      if (error.code === "MARKET_RATE_LIMITED") {
        if (timers.now() > giveUpAt) throw error;
        const askedFor = error instanceof RateLimit ? error.pauseMs : undefined;
        pacer.close(askedFor ?? pauseMs * (1 + random()));
        continue;
      }
      failures++;
      if (!repeatable || failures >= attempts || impatience?.aborted || parts.gone?.()) throw error;
      if (error.code === "MARKET_TIMEOUT") timeoutMs = Math.min(timeoutMs * 2, LONGEST_TIMEOUT_MS);
      await timers.sleep(backoff(failures, { firstMs: backoffMs, random }), ask.signal);
      // What went wrong is worth more to the caller than that there was no time for another attempt.
      if (impatience?.aborted) throw error;
    }
  }
}

function send<T>(ask: Ask, attempt: Attempt<T>, timeoutMs: number, parts: PersistParts): Promise<T> {
  const { timers, inFlight } = parts;
  const enter = async (signal: AbortSignal | undefined): Promise<T> => {
    const share = shareOf(ask.lane, ask.manner ?? "prompt");
    const leave = await inFlight.enter(ask.lane, share, anyOf(signal, ask.unheeded));
    if (ask.unheeded?.aborted) {
      leave();
      throw ask.unheeded.reason;
    }
    const slot = holding(leave, ask.unheeded, inFlight);
    try {
      return await attempt({ timeoutMs, signal: anyOf(signal, slot.calledOff) });
    } finally {
      slot.end();
    }
  };
  if (ask.hedgeMs === undefined) return enter(ask.signal);
  return hedge((over) => enter(anyOf(over, ask.signal)), { afterMs: ask.hedgeMs, timers });
}

interface Held {
  /** Aborts when too many requests go on that nothing waits for. */
  readonly calledOff: AbortSignal | undefined;
  readonly end: () => void;
}

/** Holds a slot until the request is over, or nothing waits for it any more; then it is counted beside the slots. */
function holding(leave: () => void, unheeded: AbortSignal | undefined, inFlight: InFlight): Held {
  if (unheeded === undefined) return { calledOff: undefined, end: leave };
  const calledOff = new AbortController();
  let end = leave;
  const giveBack = () => {
    leave();
    end = inFlight.leaveBehind(() => calledOff.abort(new Error(CALLED_OFF)));
  };
  unheeded.addEventListener("abort", giveBack, { once: true });
  return {
    calledOff: calledOff.signal,
    end() {
      unheeded.removeEventListener("abort", giveBack);
      end();
    },
  };
}

const CALLED_OFF = "Nothing waits for this request any more, and there are too many like it.";

/** Undefined when there is none. */
function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length < 2 ? given[0] : AbortSignal.any(given);
}

async function pass(
  ask: Ask,
  impatience: AbortSignal | undefined,
  { pacer, rateLimit }: PersistParts,
): Promise<void> {
  try {
    await pacer.pass(ask.lane, anyOf(ask.signal, impatience, ask.unheeded));
  } catch (error) {
    ask.signal?.throwIfAborted();
    if (impatience?.aborted) throw rateLimit(ask.what);
    throw error;
  }
}

const mayPass = (ask: Ask, fault: MarketFault): boolean =>
  fault.retryable || (ask.hasty404 === true && fault.code === "MARKET_NOT_FOUND");
