import { setTimeout as sleep } from "node:timers/promises";
import { timeoutSignal } from "./long-timer.ts";

/** Time as a process measures and waits for it; a test brings one of its own. */
export interface Timers {
  /** Milliseconds of a clock that cannot be set. */
  now(): number;
  /** Rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts after so many milliseconds. */
  timeout(ms: number): AbortSignal;
}

export const systemTimers: Timers = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      throw signal?.aborted ? signal.reason : error;
    });
  },
  timeout: timeoutSignal,
};
