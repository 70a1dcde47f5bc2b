import { setTimeout as sleep } from "node:timers/promises";
import { timeoutSignal } from "../../async/long-timer.ts";
import { RecentKeys } from "../../async/recent-keys.ts";
import { systemTimers } from "../../async/timers.ts";
import type { MarketParameters } from "../../domain/bounty.ts";
import type { ChainName, Clock } from "../../domain/chain.ts";
import { describeError } from "../../domain/fault.ts";
import { namesNoScheme, parseGatewayAddress, refuseKeyOverHttp } from "../../domain/gateway-address.ts";
import type { Signer } from "../../domain/transaction.ts";
import { describeProxy, proxyFor } from "../../http/proxy.ts";
import type { Logger } from "../../observe/log.ts";
import type { MarketEvents, Marketplace } from "../port.ts";
import { Actions } from "./actions.ts";
import { greet } from "./head/greeting.ts";
import { HeadWatch } from "./head/head-watch.ts";
import { TermsWatch } from "./head/terms-watch.ts";
import { Gateway, type GatewayOptions } from "./http/http.ts";
import { askContracts } from "./reads/contracts.ts";
import { BOUNTIES_PER_PAGE, Reads } from "./reads/reads.ts";
import type { Heard } from "./stream/event-frames.ts";
import { EventStream, eventsUrl, type StreamTimings } from "./stream/event-stream.ts";
import { MarketListeners } from "./stream/listeners.ts";
import { Nonces } from "./transactions/nonces.ts";
import { warnOfDroppedBodies } from "./transactions/receipts.ts";
import { Transactions } from "./transactions/transactions.ts";

export interface PolyswarmdOptions {
  /** Base address as the operator gave it. */
  readonly addr: string;
  readonly chain: ChainName;
  readonly signer: Signer;
  readonly apiKey?: string | undefined;
  readonly allowKeyOverHttp?: boolean;
  readonly log: Logger;
  readonly clock: Clock;
  /** 0 <= random() < 1; for jitter. */
  readonly random: () => number;
  /** Says what proxy to use. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long `start` keeps trying to reach the gateway. Default 60 s; 0 gives up at once, infinity never does. */
  readonly waitMs?: number;
  /** The parameters as an earlier run knew them. */
  readonly remembered?: MarketParameters | undefined;
  /** How long to wait for a receipt before an action's outcome is called unknown. Default 20 s, on home 5 minutes. */
  readonly receiptPatienceMs?: number;
  /** Counts websocket messages that made no sense. */
  readonly onMalformedEvent?: (event: string) => void;
  /** Counts websocket messages that were not looked at, because too many of their kind came. */
  readonly onDroppedEvent?: (event: string) => void;
  /** Counts bounties whose metadata was more than is taken, so that nothing is known of what it claims. */
  readonly onClaimsRefused?: () => void;
  /** For tests that have no time. */
  readonly timings?: {
    readonly stream?: Partial<StreamTimings>;
    readonly http?: Pick<GatewayOptions, "attempts" | "backoffMs" | "pauseMs" | "patienceMs">;
    readonly receiptPollMs?: number;
    readonly quietMs?: number;
    readonly streamPatienceMs?: number;
    readonly termsPauseMs?: number;
    readonly termsRefreshMs?: number;
  };
}

const RECEIPT_PATIENCE_MS: Readonly<Record<ChainName, number>> = { side: 20_000, home: 300_000 };
const STREAM_PATIENCE_MS = 5_000;
const LONGEST_STREAM_PATIENCE_MS = 60_000;
const CATCH_UP_RETRY_MS = 2_000;
const REMEMBERED_REFUSALS = 1_000;
const STREAM_HINT =
  "Blocks and bounties are asked for instead, which takes longer; see whether a proxy keeps websockets out.";

/**
 * The marketplace behind a polyswarmd gateway with contracts (dialect A), for one account on one chain. Nothing is sent
 * before `start`. Throws ConfigFault for an address or a key that cannot be used.
 */
export function joinPolyswarmd(options: PolyswarmdOptions): Marketplace {
  const { chain, signer, apiKey, log, clock, random, timings } = options;
  const base = parseGatewayAddress(options.addr);
  const proxy = proxyFor(new URL(base), options.env ?? process.env);
  const address = { base, schemeAssumed: namesNoScheme(options.addr), proxy };
  refuseKeyOverHttp(base, apiKey, { allowed: options.allowKeyOverHttp ?? false });
  if (proxy !== undefined)
    log.info({ addr: base, proxy: describeProxy(proxy), variable: proxy.variable }, "proxy.used");

  const gateway = new Gateway({
    base,
    account: signer.address,
    chain,
    apiKey,
    proxy,
    random,
    clock,
    ...timings?.http,
  });
  const refused = new RecentKeys(REMEMBERED_REFUSALS);
  const reads = new Reads(gateway, chain, signer.address, (guid) => {
    if (!refused.add(guid)) return;
    log.warn({ guid }, "market.claims-refused");
    options.onClaimsRefused?.();
  });
  const transactions = new Transactions({
    gateway,
    signer,
    nonces: new Nonces(reads),
    minedCount: () => reads.minedCount(),
    chain,
    log,
    random,
    patienceMs: options.receiptPatienceMs ?? RECEIPT_PATIENCE_MS[chain],
    pollMs: timings?.receiptPollMs ?? 500,
    timers: systemTimers,
    blockMs: () => head.blockMs(),
  });
  const listeners = new MarketListeners(log);
  const opened = Promise.withResolvers<void>();
  const left = new AbortController();
  const head = new HeadWatch({
    reads,
    onBlock: (number) => listeners.emit("block", { number }),
    log,
    quietMs: timings?.quietMs,
  });
  const terms = new TermsWatch({
    reads,
    onChange: (parameters) => listeners.emit("parameters", parameters),
    remembered: options.remembered,
    pauseMs: timings?.termsPauseMs,
    refreshMs: timings?.termsRefreshMs,
  });

  const stream = new EventStream({
    url: eventsUrl(base, chain),
    apiKey,
    proxy,
    log,
    random,
    ...(timings?.stream === undefined ? {} : { timings: timings.stream }),
    blockMs: () => head.blockMs(),
    onOpen: () => void reopened(),
    onClose: (reason) => listeners.emit("disconnected", { reason }),
    onHeard: hear,
    onInvalid: options.onMalformedEvent,
    onDropped: options.onDroppedEvent,
  });

  /** Much may have been missed while the stream was down: asks before it tells that it is open. */
  async function reopened(): Promise<void> {
    const openedAtMs = performance.now();
    const answers = await Promise.allSettled([terms.ask(left.signal), catchUp()]);
    const trouble = answers.find((answer) => answer.status === "rejected");
    if (trouble !== undefined && !left.signal.aborted) {
      log.warn({ reason: describeError(trouble.reason) }, "market.state-stale");
    }
    if (!stream.open()) return;
    opened.resolve();
    listeners.emit("connected");
    // The parameters are asked for again by their watch. The next block that is heard of is the newest one, too.
    let behind = answers[1].status === "rejected";
    while (behind && stream.open() && head.heardAtMs() < openedAtMs) {
      await sleep(CATCH_UP_RETRY_MS, undefined, { signal: left.signal, ref: false }).catch(() => undefined);
      if (left.signal.aborted) return;
      behind = await catchUp().then(
        () => false,
        () => true,
      );
    }
  }

  const catchUp = () => head.catchUp({ signal: left.signal, repeatable: false });

  let watching = false;
  /** Whatever is not known yet is asked for until it is. */
  function open(): void {
    stream.start();
    if (watching) return;
    watching = true;
    void head.watch(left.signal);
    void terms.watch(left.signal);
    void warnOfDroppedBodies(gateway, log, left.signal);
  }

  function hear(heard: Heard): void {
    if (heard.name === "block") {
      head.heard(heard.number, left.signal);
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

  const actions = new Actions({
    transactions,
    reads,
    signer,
    log,
    refreshFee: async (signal) => (await terms.ask(signal)).assertionFee,
    onRefused: (refusal) => listeners.emit("refused", refusal),
  });

  return {
    chain,
    account: signer.address,
    on: <Name extends keyof MarketEvents>(event: Name, listener: (...args: MarketEvents[Name]) => void) =>
      listeners.add(event, listener),
    open,
    reached: (signal) => abortable(head.reached, signal),
    async start(signal) {
      const waitMs = options.waitMs ?? 60_000;
      const giveUpAt = performance.now() + Math.min(waitMs, LONGEST_STREAM_PATIENCE_MS);
      await greet({ gateway, terms, head, address, log, waitMs, listen: () => stream.start() }, signal);
      stream.start();
      const patience = timeoutSignal(
        Math.max(Math.round(giveUpAt - performance.now()), timings?.streamPatienceMs ?? STREAM_PATIENCE_MS),
      );
      await abortable(opened.promise, AbortSignal.any([signal, patience])).catch((error: unknown) => {
        if (!signal.aborted && patience.aborted) return;
        stream.stop();
        throw error;
      });
      // Without its events a marketplace is slow, not lost: what was promised on it can be kept.
      if (!stream.open()) log.warn({ hint: STREAM_HINT }, "market.stream-unavailable");
      open();
    },
    connected: () => stream.open(),
    headKnown: () => head.number() !== undefined,
    inFlight: () => gateway.inFlight(),
    leave: () => gateway.leave(),
    head: () => started(head.number()),
    freshHead: (signal) => head.ask({ signal }),
    parameters: () => terms.parameters(),
    parametersKnown: () => terms.known() && !terms.doubtful(),
    freshParameters: (signal) => terms.ask(signal),
    bounty: (guid, signal) => reads.bounty(guid, signal),
    quorumReached: (guid, signal) => reads.quorumReached(guid, signal),
    bountyPage: (page, signal) => reads.bountyPage(page, signal),
    bountiesPerPage: BOUNTIES_PER_PAGE,
    contracts: (signal) => askContracts({ gateway, reads }, signal),
    listArtifacts: (uri, signal) => reads.listArtifacts(uri, signal),
    artifactHead: (uri, index, bytes, signal) => reads.artifactHead(uri, index, bytes, signal),
    assertions: (guid, signal) => reads.asserted.all(guid, { signal }),
    ownAssertions: (guid, { signal, urgency = "read", likely } = {}) =>
      reads.asserted.ours(guid, { signal, lane: urgency, likely }),
    votes: (guid, signal) => reads.votes(guid, signal),
    transactionCount: () => reads.pendingCount(),
    minedCount: () => reads.minedCount(),
    balance: (signal) => reads.balance(signal),
    publishMetadata: (metadata, signal) => reads.publishMetadata(metadata, signal),
    assert: (request, journal, how) => actions.assert(request, journal, how),
    reveal: (request, journal, signal) => actions.reveal(request, journal, signal),
    settle: (guid, journal, signal) => actions.settle(guid, journal, signal),
    lookUp: (hashes, signal) => actions.lookUp(hashes, signal),
    resend: (signed, signal, urgency) => transactions.resend(signed, { signal, lane: urgency }),
    resendAll: (signedFrom, signal) => transactions.resendAll(signedFrom, signal),
    async [Symbol.asyncDispose]() {
      left.abort();
      stream.stop();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the marketplace was asked before it was started");
  return value;
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  const leave = () => reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", leave));
}
