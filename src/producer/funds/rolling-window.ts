import { lowest } from "../../domain/extremes.ts";
import { type Clock, type Instant, instant } from "../../domain/instant.ts";

/** From here to there on a clock that is never set, the machine's clock went ahead of it by this much. */
interface Stretch {
  /** Milliseconds on the steady clock; the last stretch goes on. */
  readonly from: number;
  readonly aheadMs: number;
}

/** Corrections smaller than this are drift. */
const STEP_MS = 1_000;
const REMEMBERED = 1_000;

/**
 * Where a window begins, when the clock may be set while it is open. What is looked for carries the machine's time, and
 * so the answer is in it too: the earliest time the machine showed during the window. Set forwards, the window still
 * begins before the step; set back, it begins with the time after it. Either way nothing that belongs into the window is
 * left out, and what lies in the future counts. What the clock did before the process began is not known.
 */
export class RollingWindow {
  readonly #clock: Clock;
  readonly #steadyMs: () => number;
  #stretches: Stretch[] = [];

  /** `steadyMs` tells milliseconds from any origin and is never set, such as `performance.now`. */
  constructor(clock: Clock, steadyMs: () => number) {
    this.#clock = clock;
    this.#steadyMs = steadyMs;
    this.look();
  }

  /** Notices a step of the clock; a step is dated by the look that noticed it. */
  look(): void {
    const from = this.#steadyMs();
    const aheadMs = this.#clock.now() - from;
    const last = this.#stretches.at(-1);
    if (last === undefined || Math.abs(aheadMs - last.aheadMs) >= STEP_MS) {
      this.#stretches = [...this.#stretches, { from, aheadMs }].slice(-REMEMBERED);
    }
  }

  /** The earliest time the machine showed within the last `windowMs`. */
  since(windowMs: number): Instant {
    this.look();
    const begin = this.#steadyMs() - windowMs;
    const starts = this.#stretches.flatMap(({ from, aheadMs }, index) => {
      const until = this.#stretches[index + 1]?.from ?? Number.POSITIVE_INFINITY;
      // What was stamped before the process began counts as stamped on the first stretch.
      return until > begin ? [(index === 0 ? begin : Math.max(from, begin)) + aheadMs] : [];
    });
    return instant(Math.floor(lowest(starts)));
  }
}
