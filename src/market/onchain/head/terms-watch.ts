import { MarketFault } from "../http/answer.ts";
import type { MarketParameters } from "../port/parameters.ts";
import type { Reads } from "../reads/reads.ts";

interface TermsWatchOptions {
  readonly reads: Pick<Reads, "parameters">;
  /** Called with all parameters whenever what is believed is another, and when they are known for the first time. */
  readonly onChange: (parameters: MarketParameters) => void;
  /** As an earlier run knew them. */
  readonly remembered?: MarketParameters | undefined;
  /** Between two questions that the stream, or an answer, gives rise to. Default 2 s: the gateway repeats itself for one. */
  readonly pauseMs?: number | undefined;
  /** Between two questions that nothing gives rise to. Default 60 s. */
  readonly refreshMs?: number | undefined;
}

/** A node that is a block behind the event answers with what was. */
const ASKS = 3;
const PAUSE_MS = 2_000;
const REFRESH_MS = 60_000;

/** What the contracts are deployed with, until something better is known. Source: BountyRegistry.sol. */
export const CONTRACT_DEFAULTS = {
  bountyFee: 62_500_000_000_000_000n,
  assertionFee: 31_250_000_000_000_000n,
  bountyAmountMinimum: 2_000_000_000_000_000_000n,
  bidMinimum: 62_500_000_000_000_000n,
  bidMaximum: 1_000_000_000_000_000_000n,
  revealWindow: 10,
  voteWindow: 100,
  maxDuration: 100,
} as MarketParameters;

/**
 * The marketplace's parameters, as it answers when asked. The event stream only gives rise to a question: one forged
 * word about the reveal window would make every reveal in flight look too late, or be sent too early.
 *
 *     assumed ──first answer, as remembered or nothing is──► known ──the stream or an answer says otherwise──► asking
 *        └──first answer is another than remembered──► asking ──two answers, or stream and answer, agree──► known
 *
 * - Assumed: as an earlier run knew them, failing that the contracts' own. That is enough to keep promises with.
 * - One answer alone changes nothing that is known, because a gateway answers with errors and with another chain's values
 *   at times, and it is asked once more before long. Nothing stays for good either: it is asked again every minute, and the
 *   first answer of all, to which nothing can be compared, after two seconds.
 * - However much the stream says, there is one question at a time and a pause before the next.
 */
export class TermsWatch {
  readonly #options: TermsWatchOptions;
  #known: MarketParameters | undefined;
  /** Another answer, that came once. */
  #candidate: MarketParameters | undefined;
  #said: Partial<MarketParameters> = {};
  /** Questions left that the stream gave rise to. */
  #left = 0;
  /** The first answer of all is still to be given a second time. */
  #unconfirmed = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** When the stream gave rise to a question last. */
  #followedAtMs = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => undefined;

  constructor(options: TermsWatchOptions) {
    this.#options = options;
  }

  parameters(): MarketParameters {
    return this.#known ?? this.#options.remembered ?? CONTRACT_DEFAULTS;
  }

  /** Whether the marketplace has told them. */
  known(): boolean {
    return this.#known !== undefined;
  }

  /** The last answer was another, and is being looked into. */
  doubtful(): boolean {
    return this.#candidate !== undefined;
  }

  /** The answer, whatever is made of it. Throws MarketFault. */
  async ask(signal: AbortSignal | undefined, how: { repeatable?: boolean } = {}): Promise<MarketParameters> {
    this.#askedAtMs = performance.now();
    const fresh = await this.#options.reads.parameters({ signal, ...how });
    this.#weigh(fresh);
    return fresh;
  }

  /** The stream says that these are other than they were. */
  heard(said: Partial<MarketParameters>): void {
    this.#said = { ...this.#said, ...said };
    this.#left = ASKS;
    this.#wake();
  }

  /** Asks whenever it is time to, until the signal aborts. Never rejects because of the gateway. */
  async watch(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const waitMs = this.#dueAtMs() - performance.now();
      if (waitMs > 0) {
        await this.#pause(waitMs);
        continue;
      }
      if (this.#left > 0) {
        this.#left--;
        this.#followedAtMs = performance.now();
      }
      try {
        await this.ask(signal);
      } catch (error) {
        if (!(error instanceof MarketFault) && !signal.aborted) throw error;
      }
      if (this.#left === 0) this.#said = {};
    }
  }

  #dueAtMs(): number {
    const { pauseMs = PAUSE_MS, refreshMs = REFRESH_MS } = this.#options;
    const soon = this.#known === undefined || this.#candidate !== undefined || this.#unconfirmed;
    const ownMs = this.#askedAtMs + (soon ? pauseMs : refreshMs);
    return this.#left > 0 ? Math.min(ownMs, this.#followedAtMs + pauseMs) : ownMs;
  }

  #weigh(fresh: MarketParameters): void {
    const before = this.#known ?? this.#options.remembered;
    const agreed = this.#candidate !== undefined && bears(this.#candidate, fresh);
    this.#unconfirmed = before === undefined;
    if (before === undefined || bears(before, fresh) || agreed || this.#announced(before, fresh)) {
      this.#believe(fresh);
    } else {
      this.#candidate = fresh;
      this.#wake();
    }
    if (this.#isSaid() && bears(fresh, this.#said)) {
      this.#left = 0;
      this.#said = {};
    }
  }

  #isSaid(): boolean {
    return Object.keys(this.#said).length > 0;
  }

  /** Everything that is another than before is as the stream has said. */
  #announced(before: MarketParameters, fresh: MarketParameters): boolean {
    return this.#isSaid() && bears({ ...before, ...this.#said }, fresh);
  }

  #believe(fresh: MarketParameters): void {
    const before = this.#known;
    this.#known = fresh;
    this.#candidate = undefined;
    if (before === undefined || !bears(before, fresh)) this.#options.onChange(fresh);
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    timer.unref();
    this.#wake = resolve;
    return promise.finally(() => clearTimeout(timer));
  }
}

const bears = (parameters: MarketParameters, said: Partial<MarketParameters>): boolean =>
  (Object.keys(said) as (keyof MarketParameters)[]).every((key) => parameters[key] === said[key]);
