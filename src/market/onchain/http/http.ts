import { type Dispatcher, request } from "undici";
import { timeoutSignal } from "../../../async/long-timer.ts";
import { systemTimers } from "../../../async/timers.ts";
import type { Address } from "../../../domain/address.ts";
import type { ChainName } from "../../../domain/chain.ts";
import type { Clock } from "../../../domain/instant.ts";
import { ACCEPTED_CODINGS } from "../../../http/content-coding.ts";
import { openDispatcher } from "../../../http/dispatcher.ts";
import type { HttpProxy } from "../../../http/proxy.ts";
import { redirectedBase, redirectTarget } from "../../../http/redirect.ts";
import { stringifyJson } from "../../../json/json.ts";
import { MarketFault, readResult, redirectFault } from "./answer.ts";
import { readBodyText, readStart } from "./answer-body.ts";
import type { Ask, Asker } from "./ask.ts";
import { InFlight } from "./in-flight.ts";
import type { Lane } from "./lane.ts";
import { LIMITS } from "./limits.ts";
import { Pacer } from "./pacing.ts";
import { type Attempt, persist } from "./persist.ts";
import { Presence } from "./presence.ts";
import { leftFault, RateLimit, transitFault } from "./transit-faults.ts";

export interface GatewayOptions {
  /** As `parseGatewayAddress` gives it. */
  readonly base: string;
  readonly account: Address;
  readonly chain: ChainName;
  readonly apiKey?: string | undefined;
  /** What the requests go through. Default: nothing. */
  readonly proxy?: HttpProxy | undefined;
  readonly clock: Clock;
  /** 0 <= random() < 1. */
  readonly random: () => number;
  /** Attempts at a repeatable request, the first included. Default 4. */
  readonly attempts?: number;
  /** Wait before the second attempt; doubles with each. Default 200 ms. */
  readonly backoffMs?: number;
  /** Pause of everything after a 429 that does not say how long. Default 1 s. */
  readonly pauseMs?: number;
  /** A request that keeps being rate limited is given up after this. Default 60 s. */
  readonly patienceMs?: number;
}

const MAX_REFUSAL_BYTES = 65_536;

/**
 * Requests to one gateway on behalf of one account on one chain, over kept-alive connections. A rate limited request is
 * repeated after a pause of all; a repeatable one also after network trouble and 5xx, with backoff and jitter.
 * Throws MarketFault (MARKET_LEFT once disposed), or the reason of the caller's signal.
 */
export class Gateway implements Asker, AsyncDisposable {
  readonly #options: Required<Omit<GatewayOptions, "apiKey" | "proxy">> & Pick<GatewayOptions, "apiKey">;
  /** Apart for every lane, and for what is held back: a reveal must not queue behind the receipts of a hundred others. */
  readonly #connections: Readonly<Record<Lane | "held", Dispatcher>>;
  readonly #pacer = new Pacer({ spacingMs: 25 });
  readonly #inFlight = new InFlight();
  readonly #presence = new Presence(() => systemTimers.now());
  #left = false;

  constructor(options: GatewayOptions) {
    this.#options = { attempts: 4, backoffMs: 200, pauseMs: 1_000, patienceMs: 60_000, ...options };
    const connections = (most: number): Dispatcher =>
      openDispatcher(options.proxy, {
        connections: most,
        keepAliveTimeout: 30_000,
        connectTimeout: 5_000,
      });
    this.#connections = {
      reveal: connections(64),
      assertion: connections(64),
      settle: connections(32),
      read: connections(64),
      held: connections(256),
    };
  }

  /** Requests on their way. */
  inFlight(): number {
    return this.#inFlight.count();
  }

  /** The producer stops: from then on a gateway that cannot be reached is given up soon. */
  leave(): void {
    this.#presence.leave();
  }

  gone(): boolean {
    return this.#presence.gone();
  }

  ask(ask: Ask): Promise<unknown> {
    return this.#persist(ask, async (how) => {
      const { limits = LIMITS.medium } = ask;
      const { status, content } = await this.#exchange({ ...ask, ...how }, (answer) =>
        readBodyText(ask.what, answer, limits),
      );
      if (content.leftOut.size > 0) ask.onLeftOut?.(content.leftOut);
      return readResult(ask.what, status, content.text, limits);
    });
  }

  /** The status alone, whatever the answer says. */
  status(ask: Ask): Promise<number> {
    return this.#persist(ask, async (how) => {
      const { limits = LIMITS.medium } = ask;
      const { status } = await this.#exchange({ ...ask, ...how }, (answer) =>
        readBodyText(ask.what, answer, limits),
      );
      return status;
    });
  }

  /** At most the first `bytes` of a raw answer; the connection is dropped rather than read further. */
  head(ask: Ask, bytes: number): Promise<Uint8Array> {
    return this.#persist(ask, async (how) => {
      // A range of what is compressed would be another range.
      const range = { range: `bytes=0-${Math.max(bytes, 1) - 1}`, "accept-encoding": "identity" };
      const { status, content } = await this.#exchange(
        { ...ask, ...how },
        (answer) => {
          const wanted = answer.statusCode < 300 ? bytes : MAX_REFUSAL_BYTES;
          return readStart(ask.what, answer, { bytes: wanted, end: "may-be-cut" });
        },
        range,
      );
      if (status === 200 || status === 206) return content;
      // A range beyond the end: the artifact has no bytes at all.
      if (status === 416) return new Uint8Array();
      readResult(ask.what, status, Buffer.from(content).toString(), LIMITS.small);
      const sentence = `The marketplace answers HTTP ${status} to a question for ${ask.what}.`;
      throw new MarketFault("MARKET_ANSWER_UNREADABLE", sentence, {
        status,
        reached: "yes",
        retryable: false,
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left = true;
    this.#pacer.release();
    await Promise.all(Object.values(this.#connections).map((agent) => agent.destroy()));
  }

  #persist<T>(ask: Ask, attempt: Attempt<T>): Promise<T> {
    const { clock } = this.#options;
    return persist(ask, attempt, {
      ...this.#options,
      timers: systemTimers,
      pacer: this.#pacer,
      inFlight: this.#inFlight,
      gone: () => this.gone(),
      rateLimit: (what) => new RateLimit(what, undefined, clock),
    });
  }

  async #exchange<T>(
    ask: Ask,
    read: (answer: Dispatcher.ResponseData) => Promise<T>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; content: T }> {
    if (this.#left) throw leftFault(ask);
    const timeout = timeoutSignal(ask.timeoutMs ?? 10_000);
    const signal = ask.signal === undefined ? timeout : AbortSignal.any([ask.signal, timeout]);
    const url = this.#url(ask);
    try {
      const response = await request(url, {
        method: ask.method,
        dispatcher: this.#connections[ask.manner === "held" ? "held" : ask.lane],
        signal,
        // The timeout above covers all of it; the receipts of a slow chain may take longer than undici's own.
        headersTimeout: 0,
        bodyTimeout: 0,
        headers: { ...this.#headers(ask), ...headers },
        body: ask.body === undefined ? null : stringifyJson(ask.body),
      });
      this.#presence.answered();
      if (response.statusCode === 429) {
        await response.body.dump().catch(() => undefined);
        throw new RateLimit(ask.what, response.headers["retry-after"], this.#options.clock);
      }
      const { statusCode, headers: answered } = response;
      const target = redirectTarget(url, { statusCode, location: answered.location });
      if (target !== undefined) {
        await response.body.dump().catch(() => undefined);
        const facts = { status: statusCode, target, base: redirectedBase(target, ask.path) };
        throw redirectFault(ask.what, facts);
      }
      return { status: statusCode, content: await read(response) };
    } catch (error) {
      if (error instanceof MarketFault) throw error;
      ask.signal?.throwIfAborted();
      if (this.#left) throw leftFault(ask);
      if (!timeout.aborted) this.#presence.unreachable();
      throw transitFault(ask, error, { timedOut: timeout.aborted });
    }
  }

  #url({ path, query }: Ask): string {
    const { base, account, chain } = this.#options;
    return `${base}${path}?${new URLSearchParams({ account, chain, ...query })}`;
  }

  #headers({ body }: Ask): Record<string, string> {
    const { apiKey } = this.#options;
    return {
      accept: "application/json, */*",
      "accept-encoding": ACCEPTED_CODINGS,
      ...(apiKey === undefined ? {} : { authorization: apiKey }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
  }
}
