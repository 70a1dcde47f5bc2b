import { type RawData, WebSocket } from "ws";
import { backoff } from "../../../async/backoff.ts";
import { RecentKeys } from "../../../async/recent-keys.ts";
import type { ChainName } from "../../../domain/chain.ts";
import type { HttpProxy } from "../../../http/proxy.ts";
import { redirectTarget } from "../../../http/redirect.ts";
import { parseJson } from "../../../json/json.ts";
import type { Logger } from "../../../observe/log.ts";
import { JsonSieve } from "../http/sieve.ts";
import { type Heard, readFrame } from "./event-frames.ts";
import { FrameRate } from "./frame-rate.ts";
import { throughProxy } from "./stream-proxy.ts";

/** Milliseconds. Only tests shorten them. */
export interface StreamTimings {
  /** First wait before a reconnect; doubles up to `maxBackoffMs` until a connection delivers again. Default 500. */
  readonly backoffMs: number;
  /** Default 32 s. */
  readonly maxBackoffMs: number;
  /** A connection without a block for six block times, but never less than this, is dead. Default 10 s. */
  readonly minSilenceMs: number;
  /** ... and while no block time is known, or a very long one, after this. Default 60 s. */
  readonly maxSilenceMs: number;
  readonly handshakeMs: number;
}

const TIMINGS: StreamTimings = {
  backoffMs: 500,
  maxBackoffMs: 32_000,
  minSilenceMs: 10_000,
  maxSilenceMs: 60_000,
  handshakeMs: 10_000,
};

/** The metadata of 256 artifacts fits many times over; a larger frame ends the connection. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
/** Without metadata, which is not read here: an assertion on 256 artifacts has 10 KB. */
const FRAME = { keptBytes: 131_072, depth: 16, values: 4_096 };
const NOTHING = { bytes: 0, values: 0, depth: 0 };
const SILENT_BLOCKS = 6;
const REMEMBERED_EVENTS = 20_000;

export interface StreamOptions {
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** What the stream goes through. Default: nothing. */
  readonly proxy?: HttpProxy | undefined;
  readonly log: Logger;
  readonly random: () => number;
  readonly timings?: Partial<StreamTimings>;
  readonly onOpen: () => void;
  readonly onClose: (reason: string) => void;
  /** Milliseconds from block to block; undefined while it is not known. */
  readonly blockMs: () => number | undefined;
  /** Called once for each contract event, and for every block as it is told, repeated and odd ones included. */
  readonly onHeard: (heard: Heard) => void;
  /** Counts messages that made no sense. */
  readonly onInvalid?: ((event: string) => void) | undefined;
  /** Counts messages that were not looked at, because too many of their kind came. */
  readonly onDropped?: ((event: string) => void) | undefined;
}

/** Where the gateway with this base URL streams the events of a chain. */
export const eventsUrl = (base: string, chain: ChainName): string =>
  `${base.replace("http", "ws")}/events/?chain=${chain}`;

/**
 * The event stream of one chain. It has no history and no acknowledgements: what happens while it is down is lost, so
 * its only duties are to be up, to notice when it is not, and to let nothing malformed or repeated through.
 *
 *     idle ──start──► connecting ──open──► open ──────────────► waiting ──backoff over──► connecting
 *                         │                 close, error, silence   ▲
 *                         └───────────────────────────────────────┘
 *     any ──stop──► stopped
 *
 * The gateway never pings and its pongs are late under load: blocks are the sign of life. The backoff starts afresh only
 * once a connection has delivered one, so that a gateway which greets and hangs up is not hammered.
 */
export class EventStream {
  readonly #options: StreamOptions;
  readonly #timings: StreamTimings;
  readonly #seen = new RecentKeys(REMEMBERED_EVENTS);
  /** Names of events that were complained about already. */
  readonly #complained = new RecentKeys(1_000);
  readonly #rate: FrameRate;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Why the connection is about to end. */
  #reason = "";
  #state: "idle" | "connecting" | "open" | "waiting" | "stopped" = "idle";

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#timings = { ...TIMINGS, ...options.timings };
    this.#rate = new FrameRate({
      steadyMs: () => performance.now(),
      tell: (facts) => options.log.warn(facts, "market.events-dropped"),
    });
  }

  start(): void {
    if (this.#state === "idle") this.#connect();
  }

  stop(): void {
    this.#state = "stopped";
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  open(): boolean {
    return this.#state === "open";
  }

  #connect(): void {
    const { url, apiKey, proxy, onOpen } = this.#options;
    this.#state = "connecting";
    const socket = new WebSocket(url, {
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: this.#timings.handshakeMs,
      perMessageDeflate: false,
      followRedirects: false,
      headers: apiKey === undefined ? {} : { authorization: apiKey },
      ...(proxy === undefined ? {} : throughProxy(proxy, url, this.#timings.handshakeMs)),
    });
    this.#socket = socket;
    this.#reason = "closed by the gateway";
    socket.on("open", () => {
      this.#state = "open";
      this.#expectBlock(socket);
      onOpen();
    });
    socket.on("message", (data) => this.#hear(socket, data));
    let refused: string | undefined;
    socket.on("unexpected-response", (_request, { statusCode = 0, headers }) => {
      const target = redirectTarget(url.replace(/^ws/, "http"), { statusCode, location: headers.location });
      refused = `HTTP ${statusCode}${target === undefined ? "" : `, which points to ${target}`}`;
      socket.terminate();
    });
    // `close` follows every `error`.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#reason = refused ?? (error.message || error.code || "unreachable");
    });
    socket.on("close", () => this.#lost(this.#reason));
  }

  #lost(reason: string): void {
    clearTimeout(this.#timer);
    if (this.#state === "stopped") return;
    const wasOpen = this.#state === "open";
    this.#state = "waiting";
    const { backoffMs: firstMs, maxBackoffMs: longestMs } = this.#timings;
    const wait = backoff(++this.#failures, { firstMs, longestMs, random: this.#options.random });
    this.#options.log.warn({ reason, retryInMs: Math.round(wait) }, "market.reconnecting");
    this.#timer = setTimeout(() => this.#connect(), wait);
    if (wasOpen) this.#options.onClose(reason);
  }

  /** Winds up the watchdog. */
  #expectBlock(socket: WebSocket): void {
    const { minSilenceMs, maxSilenceMs } = this.#timings;
    const blockMs = this.#options.blockMs();
    const patience = blockMs === undefined ? maxSilenceMs : SILENT_BLOCKS * blockMs;
    const wait = Math.min(Math.max(patience, minSilenceMs), maxSilenceMs);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#reason = `no block for ${Math.round(wait)} ms`;
      socket.terminate();
    }, wait);
  }

  #hear(socket: WebSocket, data: RawData): void {
    if (this.#state !== "open") return;
    const { log, onHeard, onInvalid, onDropped } = this.#options;
    const bytes = Array.isArray(data) ? Buffer.concat(data) : (data as Buffer);
    const dropped = this.#rate.refuses(bytes);
    if (dropped !== undefined) {
      onDropped?.(dropped);
      return;
    }
    const frame = readFrame(parse(bytes));
    if (frame.kind === "unknown") {
      if (this.#complained.add(frame.name)) log.info({ event: frame.name }, "market.event-unknown");
      return;
    }
    if (frame.kind === "invalid") {
      const level = this.#complained.add(frame.name) ? "warn" : "debug";
      log[level]({ event: frame.name, why: frame.why }, "market.event-invalid");
      onInvalid?.(frame.name);
      return;
    }
    if (frame.heard.name === "block") {
      this.#failures = 0;
      this.#expectBlock(socket);
    }
    if (frame.key === undefined || this.#seen.add(frame.key)) onHeard(frame.heard);
  }
}

/**
 * The gateway sends its JSON in binary frames, others in text frames. What is no JSON, or more than a frame says, reads as
 * undefined.
 */
function parse(bytes: Buffer): unknown {
  const sieve = new JsonSieve({ allowances: { metadata: NOTHING }, keptBytes: FRAME.keptBytes });
  if (!sieve.push(bytes)) return undefined;
  try {
    return parseJson(sieve.end().toString("utf8"), FRAME);
  } catch {
    return undefined;
  }
}
