import { RecentKeys } from "../../../async/recent-keys.ts";
import { systemTimers } from "../../../async/timers.ts";
import type { ChainName } from "../../../domain/chain.ts";
import { namesNoScheme, parseGatewayAddress, refuseKeyOverHttp } from "../../../domain/gateway-address.ts";
import type { Guid } from "../../../domain/guid.ts";
import type { Clock } from "../../../domain/instant.ts";
import { describeProxy, proxyFor } from "../../../http/proxy.ts";
import type { Logger } from "../../../observe/log.ts";
import type { Signer } from "../../../wallet/transaction.ts";
import { HeadWatch } from "../head/head-watch.ts";
import { TermsWatch } from "../head/terms-watch.ts";
import { Gateway, type GatewayOptions } from "../http/http.ts";
import type { GatewayAddress } from "../http/unreachable.ts";
import type { Marketplace } from "../port/marketplace.ts";
import type { MarketParameters } from "../port/parameters.ts";
import { Reads } from "../reads/reads.ts";
import { EventStream, eventsUrl, type StreamTimings } from "../stream/event-stream.ts";
import { MarketListeners } from "../stream/listeners.ts";
import { Nonces } from "../transactions/nonces.ts";
import { Transactions } from "../transactions/transactions.ts";
import { Actions } from "./actions.ts";
import { Connection } from "./connection.ts";
import { marketplaceOf } from "./marketplace.ts";

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
const REMEMBERED_REFUSALS = 1_000;

/**
 * The marketplace behind a polyswarmd gateway with contracts (dialect A), for one account on one chain. Nothing is sent
 * before `start`. Throws ConfigFault for an address or a key that cannot be used.
 */
export function joinPolyswarmd(options: PolyswarmdOptions): Marketplace {
  const { chain, signer, log, random, timings } = options;
  const { address, gateway } = openGateway(options);
  const listeners = new MarketListeners(log);
  const reads = new Reads(gateway, chain, signer.address, tellRefusedClaims(options));
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
  const actions = new Actions({
    transactions,
    reads,
    signer,
    log,
    refreshFee: async (signal) => (await terms.ask(signal)).assertionFee,
    onRefused: (refusal) => listeners.emit("refused", refusal),
  });
  const stream = new EventStream({
    url: eventsUrl(address.base, chain),
    apiKey: options.apiKey,
    proxy: address.proxy,
    log,
    random,
    ...(timings?.stream === undefined ? {} : { timings: timings.stream }),
    blockMs: () => head.blockMs(),
    onOpen: () => void connection.streamOpened(),
    onClose: (reason) => listeners.emit("disconnected", { reason }),
    onHeard: (heard) => connection.heard(heard),
    onInvalid: options.onMalformedEvent,
    onDropped: options.onDroppedEvent,
  });
  const connection = new Connection({
    address,
    gateway,
    head,
    terms,
    stream,
    listeners,
    log,
    waitMs: options.waitMs ?? 60_000,
    streamPatienceMs: timings?.streamPatienceMs,
  });
  const parts = { gateway, reads, head, terms, transactions, actions, stream, listeners, connection };
  return marketplaceOf({ chain, account: signer.address, ...parts });
}

/** Checks the address and the key before anything is opened. Throws ConfigFault. */
function openGateway(options: PolyswarmdOptions): {
  readonly address: GatewayAddress;
  readonly gateway: Gateway;
} {
  const { chain, signer, apiKey, log, clock, random, timings } = options;
  const base = parseGatewayAddress(options.addr);
  const proxy = proxyFor(new URL(base), options.env ?? process.env);
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
  return { address: { base, schemeAssumed: namesNoScheme(options.addr), proxy }, gateway };
}

/** Tells once of each bounty with more metadata than is taken. */
function tellRefusedClaims({ log, onClaimsRefused }: PolyswarmdOptions): (guid: Guid) => void {
  const refused = new RecentKeys(REMEMBERED_REFUSALS);
  return (guid) => {
    if (!refused.add(guid)) return;
    log.warn({ guid }, "market.claims-refused");
    onClaimsRefused?.();
  };
}
