import { timeoutSignal } from "../async/long-timer.ts";
import type { Caveat } from "../domain/caveat.ts";
import { LOOK_LIMITS, lookInside } from "../triage/look-inside.ts";

/** Most looks take a millisecond, the longest half a second where there is nothing else to do. */
const PATIENCE_MS = 3_000;

/** What keeps scanners from seeing through a content, found out once for all the backends that are asked about it. */
export class CaveatMemory {
  readonly #looks = new WeakMap<Uint8Array, Promise<Caveat | undefined>>();

  /** Begins at once, and goes on beside the scan. Never rejects. */
  of(content: Uint8Array): Promise<Caveat | undefined> {
    const known = this.#looks.get(content);
    if (known !== undefined) return known;
    const looking = lookInside(content, LOOK_LIMITS, timeoutSignal(PATIENCE_MS));
    this.#looks.set(content, looking);
    return looking;
  }
}
