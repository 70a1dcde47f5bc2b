import { setTimeout as sleep } from "node:timers/promises";
import type { MarketParameters } from "../../domain/bounty.ts";
import { MarketFault } from "./answer.ts";
import type { Reads } from "./reads.ts";

export interface TermsWatchOptions {
  readonly reads: Pick<Reads, "parameters">;
  /** Called with all parameters whenever one of them is another. */
  readonly onChange: (parameters: MarketParameters) => void;
  /** Between two questions that the stream gives rise to. Default 2 s. */
  readonly pauseMs?: number | undefined;
}

/** A node that is a block behind the event answers with what was. */
const ASKS = 3;
const PAUSE_MS = 2_000;

/**
 * The marketplace's parameters, as it answers when asked. The event stream only gives rise to a question: one forged
 * word about the reveal window would make every reveal in flight look too late, or be sent too early.
 *
 *     known ──the stream says otherwise──► asking ──it is as was said, or was asked often enough──► known
 *
 * However much the stream says, there is one question at a time and a pause before the next.
 */
export class TermsWatch {
  readonly #options: TermsWatchOptions;
  #parameters: MarketParameters | undefined;
  #said: Partial<MarketParameters> = {};
  #left = 0;
  #nextAskAtMs = 0;
  #asking = false;

  constructor(options: TermsWatchOptions) {
    this.#options = options;
  }

  parameters(): MarketParameters | undefined {
    return this.#parameters;
  }

  learn(fresh: MarketParameters): void {
    const before = this.#parameters;
    this.#parameters = fresh;
    if (before === undefined || !bears(before, fresh)) this.#options.onChange(fresh);
  }

  /** Throws MarketFault. */
  async ask(signal: AbortSignal | undefined): Promise<MarketParameters> {
    const fresh = await this.#options.reads.parameters({ signal });
    this.learn(fresh);
    return fresh;
  }

  /** The stream says that these are other than they were. */
  heard(said: Partial<MarketParameters>, signal: AbortSignal): void {
    this.#said = { ...this.#said, ...said };
    this.#left = ASKS;
    if (!this.#asking) void this.#askAround(signal);
  }

  async #askAround(signal: AbortSignal): Promise<void> {
    this.#asking = true;
    try {
      while (this.#left > 0) {
        const pauseMs = Math.max(0, this.#nextAskAtMs - performance.now());
        if (pauseMs > 0) await sleep(Math.ceil(pauseMs), undefined, { signal, ref: false });
        this.#nextAskAtMs = performance.now() + (this.#options.pauseMs ?? PAUSE_MS);
        this.#left--;
        const fresh = await this.ask(signal).catch((error: unknown) => {
          if (error instanceof MarketFault) return undefined;
          throw error;
        });
        if (fresh !== undefined && bears(fresh, this.#said)) this.#left = 0;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#asking = false;
      this.#said = {};
    }
  }
}

const bears = (parameters: MarketParameters, said: Partial<MarketParameters>): boolean =>
  (Object.keys(said) as (keyof MarketParameters)[]).every((key) => parameters[key] === said[key]);
