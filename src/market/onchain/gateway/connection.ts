import { setTimeout as sleep } from "node:timers/promises";
import { abortable } from "../../../async/abortable.ts";
import { timeoutSignal } from "../../../async/long-timer.ts";
import { describeError } from "../../../domain/fault.ts";
import type { Logger } from "../../../observe/log.ts";
import { greet } from "../head/greeting.ts";
import type { HeadWatch } from "../head/head-watch.ts";
import type { TermsWatch } from "../head/terms-watch.ts";
import type { Gateway } from "../http/http.ts";
import type { GatewayAddress } from "../http/unreachable.ts";
import type { Heard } from "../stream/event-frames.ts";
import type { EventStream } from "../stream/event-stream.ts";
import type { MarketListeners } from "../stream/listeners.ts";
import { warnOfDroppedBodies } from "../transactions/receipts.ts";

interface ConnectionParts {
  readonly address: GatewayAddress;
  readonly gateway: Gateway;
  readonly head: HeadWatch;
  readonly terms: TermsWatch;
  readonly stream: EventStream;
  readonly listeners: MarketListeners;
  readonly log: Logger;
  /** How long `start` keeps trying to reach the gateway; 0 gives up at once, infinity never does. */
  readonly waitMs: number;
  /** The least that `start` waits for the stream. Default 5 s. */
  readonly streamPatienceMs: number | undefined;
}

const STREAM_PATIENCE_MS = 5_000;
const LONGEST_STREAM_PATIENCE_MS = 60_000;
const CATCH_UP_RETRY_MS = 2_000;
const STREAM_HINT =
  "Blocks and bounties are asked for instead, which takes longer; see whether a proxy keeps websockets out.";

/**
 * The connection to one marketplace: its event stream, with requests in the stream's place while it is down.
 *
 *     closed ──open, start──► asking ──the stream opens──► catching up ──asked, or failed──► connected
 *                               ▲                                                                │
 *                               └───────────────────────── the stream closes ────────────────────┘
 *     any ──close──► closed for good
 *
 * Catching up: events are lost while the stream is down, so the parameters and the newest block are asked for before the
 * listeners are told that it is open. Where the block cannot be asked for, it is asked for again until it is known.
 */
export class Connection {
  readonly #parts: ConnectionParts;
  readonly #closed = new AbortController();
  readonly #opened = Promise.withResolvers<void>();
  #watching = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** Asks for what is not known yet until it is known. */
  open(): void {
    const { stream, head, terms, gateway, log } = this.#parts;
    const { signal } = this.#closed;
    stream.start();
    if (this.#watching) return;
    this.#watching = true;
    void head.watch(signal);
    void terms.watch(signal);
    void warnOfDroppedBodies(gateway, log, signal);
  }

  /** See `Marketplace.start`. */
  async start(signal: AbortSignal): Promise<void> {
    const { gateway, terms, head, address, log, waitMs, stream } = this.#parts;
    const giveUpAt = performance.now() + Math.min(waitMs, LONGEST_STREAM_PATIENCE_MS);
    await greet({ gateway, terms, head, address, log, waitMs, listen: () => stream.start() }, signal);
    stream.start();
    await this.#waitForStream(giveUpAt, signal);
    // Without its events a marketplace is slow, not lost: what was promised on it can be kept.
    if (!stream.open()) log.warn({ hint: STREAM_HINT }, "market.stream-unavailable");
    this.open();
  }

  /** Until `giveUpAt` on the clock of `performance.now`, but for the least patience in any case. */
  async #waitForStream(giveUpAt: number, signal: AbortSignal): Promise<void> {
    const { stream, streamPatienceMs = STREAM_PATIENCE_MS } = this.#parts;
    const patience = timeoutSignal(Math.max(giveUpAt - performance.now(), streamPatienceMs));
    await abortable(this.#opened.promise, AbortSignal.any([signal, patience])).catch((error: unknown) => {
      if (!signal.aborted && patience.aborted) return;
      stream.stop();
      throw error;
    });
  }

  /** The stream opened: catches up, then tells the listeners. */
  async streamOpened(): Promise<void> {
    const { terms, stream, head, listeners, log } = this.#parts;
    const { signal } = this.#closed;
    const openedAtMs = performance.now();
    const [parameters, block] = await Promise.allSettled([terms.ask(signal), this.#catchUp()]);
    const trouble = [parameters, block].find((answer) => answer.status === "rejected");
    if (trouble !== undefined && !signal.aborted) {
      log.warn({ reason: describeError(trouble.reason) }, "market.state-stale");
    }
    if (!stream.open()) return;
    this.#opened.resolve();
    listeners.emit("connected");
    // The parameters are asked for again by their watch. The next block that is heard of is the newest one, too.
    let behind = block.status === "rejected";
    while (behind && stream.open() && head.heardAtMs() < openedAtMs) {
      await sleep(CATCH_UP_RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      behind = await this.#catchUp().then(
        () => false,
        () => true,
      );
    }
  }

  #catchUp(): Promise<void> {
    return this.#parts.head.catchUp({ signal: this.#closed.signal, repeatable: false });
  }

  /** The stream said something: blocks and terms change what is known here, the rest is for the listeners. */
  heard(heard: Heard): void {
    const { head, terms, listeners } = this.#parts;
    if (heard.name === "block") {
      head.heard(heard.number, this.#closed.signal);
    } else if (heard.name === "fee_update") {
      const { bountyFee, assertionFee } = heard;
      terms.heard({ bountyFee, assertionFee });
    } else if (heard.name === "window_update") {
      const { revealWindow, voteWindow } = heard;
      terms.heard({ revealWindow, voteWindow });
    } else {
      listeners.tell(heard);
    }
  }

  /** Ends the stream and the watches. */
  close(): void {
    this.#closed.abort();
    this.#parts.stream.stop();
  }
}
