/** A timer set further ahead than this fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long a timer must run to fire at an instant (Unix ms): 0 when it has passed, 25 days at most. */
export const timerUntil = (unixMs: number, nowMs: number = Date.now()): number =>
  Math.min(MAX_TIMER_MS, Math.max(0, unixMs - nowMs));
