import { setTimeout as sleep } from "node:timers/promises";
import { backoff } from "../../../async/backoff.ts";
import { Fault } from "../../../domain/fault.ts";

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 500;

/** Asks a marketplace in trouble again, for some 15 s. Throws what the last attempt threw. */
export async function askAgain<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Fault && error.retryable) || attempt === ATTEMPTS) throw error;
    }
    await sleep(backoff(attempt, { firstMs: FIRST_PAUSE_MS }), undefined, { signal });
  }
}
