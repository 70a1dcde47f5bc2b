import type { Branded } from "./brand.ts";

/** A moment in Unix milliseconds, on the clock of the machine that made it. */
export type Instant = Branded<number, "Instant">;
export const instant = (unixMs: number): Instant => unixMs as Instant;

/** Where "now" comes from. Passed in, so that a test can say what time it is. */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = { now: () => instant(Date.now()) };
