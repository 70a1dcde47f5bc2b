import { timeoutSignal } from "../async/long-timer.ts";
import type { Caveat } from "../domain/caveat.ts";
import { LOOK_LIMITS, lookInside } from "../triage/look-inside.ts";

/** Most looks take a millisecond, the longest half a second where there is nothing else to do. */
const LEAST_PATIENCE_MS = 3_000;

/** What keeps scanners from seeing through a content, found out once for all the backends that are asked about it. */
export class CaveatMemory {
  readonly #looks = new WeakMap<Uint8Array, Promise<Caveat | undefined>>();

  /**
   * Begins at once, and goes on beside the scan, for half of the time that is left (`leftMs`) and three seconds at least: a
   * machine that is busy takes longer for the same look, and what has not been looked at is not seen through. Never rejects.
   */
  of(content: Uint8Array, leftMs: number): Promise<Caveat | undefined> {
    const known = this.#looks.get(content);
    if (known !== undefined) return known;
    const looking = lookInside(content, LOOK_LIMITS, timeoutSignal(Math.max(LEAST_PATIENCE_MS, leftMs / 2)));
    this.#looks.set(content, looking);
    return looking;
  }
}
