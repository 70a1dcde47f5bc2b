/**
 * How often something may be done in a second, a minute, an hour and a day, by all processes of an engine together.
 *
 * Windows are those of UTC: a day begins at midnight, an hour at its full hour. Each use counts in all four windows,
 * whichever of them are limited, so that a limit that is set at noon knows of the morning. A use is granted when every
 * limited window has room, and only then counts; checking and counting are one step that no other use can come between.
 */
import type { Clock } from "./instant.ts";

/** Seconds; in the order in which they are asked. */
export const WINDOWS = { second: 1, minute: 60, hour: 3_600, day: 86_400 } as const;
export type Window = keyof typeof WINDOWS;
export const WINDOW_NAMES = Object.keys(WINDOWS) as readonly Window[];

/** Uses at most, by window; what is not named is not limited. */
export type RateLimits = Readonly<Partial<Record<Window, number>>>;

export type RateAnswer =
  | { readonly kind: "granted" }
  /** The first window that has no room, and how long it lasts. */
  | { readonly kind: "refused"; readonly window: Window; readonly opensInS: number }
  /** What counts the uses cannot be asked. A limit that cannot be checked allows nothing. */
  | { readonly kind: "unknown"; readonly why: string };

/** Counts uses by name. Held to one contract by test/contract/rate-counter.ts, whatever it is made of. */
export interface RateCounter {
  /** `take` counts the use if it is granted, `peek` only asks whether it would be. Never rejects. */
  use(name: string, limits: RateLimits, how: "take" | "peek"): Promise<RateAnswer>;
}

/** One line for people; `undefined` for a use that is granted. */
export function describeRefusal(answer: RateAnswer, limits: RateLimits): string | undefined {
  if (answer.kind === "granted") return undefined;
  if (answer.kind === "unknown") return `the limit cannot be checked: ${answer.why}`;
  return `${limits[answer.window]} a ${answer.window} are used up; there is room in ${answer.opensInS} s`;
}

interface Tally {
  /** Number of the window since 1970. */
  readonly at: number;
  readonly uses: number;
}

/** Counts in this process's memory, which is lost with it. */
export class MemoryRateCounter implements RateCounter {
  readonly #clock: Clock;
  readonly #tallies = new Map<string, Tally>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async use(name: string, limits: RateLimits, how: "take" | "peek"): Promise<RateAnswer> {
    const nowS = Math.floor(this.#clock.now() / 1_000);
    const tallies = WINDOW_NAMES.map((window) => {
      const at = Math.floor(nowS / WINDOWS[window]);
      const known = this.#tallies.get(`${window} ${name}`);
      return { window, at, uses: known?.at === at ? known.uses : 0 };
    });
    const full = tallies.find(({ window, uses }) => uses >= (limits[window] ?? Number.POSITIVE_INFINITY));
    if (full !== undefined) {
      const opensInS = (full.at + 1) * WINDOWS[full.window] - nowS;
      return { kind: "refused", window: full.window, opensInS };
    }
    if (how === "take") {
      for (const { window, at, uses } of tallies)
        this.#tallies.set(`${window} ${name}`, { at, uses: uses + 1 });
    }
    return { kind: "granted" };
  }
}
