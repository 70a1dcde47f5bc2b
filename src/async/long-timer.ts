/** A timer set further ahead than this fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long a timer must run to fire at an instant (Unix ms): 0 when it has passed, 25 days at most. */
export const timerUntil = (unixMs: number, nowMs: number = Date.now()): number =>
  Math.min(MAX_TIMER_MS, Math.max(0, unixMs - nowMs));

/**
 * A signal that aborts after so many milliseconds, whatever the number is: one that was computed may have a fraction, be
 * below zero or beyond every timer, and `AbortSignal.timeout` throws at each of these.
 */
export const timeoutSignal = (ms: number): AbortSignal =>
  AbortSignal.timeout(ms > 0 ? Math.min(MAX_TIMER_MS, Math.ceil(ms)) : 0);
