/**
 * How long the event loop stood still: no block was heard, no reveal sent, no health answered meanwhile. A process that
 * holds deadlines must never work for long at one thing, and what makes it do so is mostly a stranger's input.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Registry } from "prom-client";
import type { Health } from "./health.ts";
import type { Logger } from "./log.ts";
import { collectedFrom, metricsOf } from "./metrics.ts";

/** Nothing of ours takes so long: blocks come every second or two. */
const ALARM_MS = 1_000;
/** The loop is asked so often, and a stall is known to that. */
const RESOLUTION_MS = 10;
const LOOK_EVERY_MS = 1_000;
/** For so long health tells of a stall. */
const TELL_FOR_MS = 600_000;

interface LoopWatchOptions {
  readonly registry: Registry;
  readonly log: Logger;
  /** A stall of so many milliseconds is told of; default 1 s. */
  readonly alarmMs?: number;
}

export class LoopWatch implements Disposable {
  readonly #options: LoopWatchOptions;
  readonly #always = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #lately = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #alarms = 0;
  #last: { readonly ms: number; readonly at: number } | undefined;

  constructor(options: LoopWatchOptions) {
    this.#options = options;
    this.#always.enable();
    this.#lately.enable();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    const { gauge, counter } = metricsOf(options.registry);
    collectedFrom(
      gauge("event_loop_stall_max_seconds", "The longest time the process did nothing else, since it began."),
      () => longest(this.#always) / 1_000,
    );
    collectedFrom(
      gauge("event_loop_stall_p999_seconds", "The same, of one look in a thousand; it looks every 10 ms."),
      () => stallMs(this.#always.percentile(99.9)) / 1_000,
    );
    collectedFrom(
      counter("event_loop_stalls_total", "Times that the process did nothing else for a second or longer."),
      () => this.#alarms,
    );
  }

  /** Always well, as a restart would change nothing; a late stall is in the detail. */
  health(): Health[string] {
    if (this.#last === undefined) return { ok: true };
    const agoMs = performance.now() - this.#last.at;
    if (agoMs > TELL_FOR_MS) return { ok: true };
    const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
    return { ok: true, detail: `stood still for ${seconds(this.#last.ms)}, ${seconds(agoMs)} ago` };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#always.disable();
    this.#lately.disable();
  }

  #look(): void {
    const ms = Math.round(longest(this.#lately));
    this.#lately.reset();
    if (ms < (this.#options.alarmMs ?? ALARM_MS)) return;
    this.#alarms++;
    this.#last = { ms, at: performance.now() };
    this.#options.log.warn({ ms }, "loop.stalled");
  }
}

/** A histogram has the nanoseconds from look to look. */
const stallMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
const longest = (histogram: ReturnType<typeof monitorEventLoopDelay>): number =>
  histogram.count === 0 ? 0 : stallMs(histogram.max);
