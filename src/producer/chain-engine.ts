import type { BidStrategy } from "../bid/contract.ts";
import type { ProducerConfig } from "../config/producer.ts";
import { distil } from "../distill/distill.ts";
import { createBlockClock } from "../domain/block-clock.ts";
import { block, type ChainName, type Clock } from "../domain/chain.ts";
import { Fault } from "../domain/fault.ts";
import { formatNct } from "../domain/nct.ts";
import type { Signer } from "../domain/transaction.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { joinPolyswarmd } from "../market/polyswarmd/client.ts";
import { commitment } from "../market/polyswarmd/commitment.ts";
import type { BountyNotice } from "../market/port.ts";
import type { Logger } from "../observe/log.ts";
import { nctNumber } from "../observe/metrics.ts";
import type { ProducerMetrics } from "../observe/producer-metrics.ts";
import type { ScanQueue } from "../queue/port.ts";
import type { TriageRules } from "../triage/triage.ts";
import { openSigner } from "../wallet/signer.ts";
import type { Collector } from "./collector.ts";
import { Desk } from "./desk.ts";
import { Duties } from "./duties.ts";
import type { Tell } from "./events.ts";
import { pinAccount, pinsOf, storePins } from "./pins.ts";
import { Purse } from "./purse.ts";

/** What the engines of all chains share. */
export interface ChainEngineParts {
  readonly config: ProducerConfig;
  readonly privateKey: Uint8Array;
  readonly ledger: Ledger;
  readonly queue: ScanQueue;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly tell: Tell;
  readonly log: Logger;
  readonly metrics: ProducerMetrics;
  readonly rules: TriageRules;
  readonly strategy: BidStrategy;
  /** Of microengine. */
  readonly version: string;
}

/** Everything that works on one chain: the market, the desk that answers, the duties that keep its promises. */
export interface ChainEngine extends AsyncDisposable {
  readonly chain: ChainName;
  connected(): boolean;
  /** Bounties in work that are not promised yet. */
  inFlight(): number;
  /** Bounties we still owe something. */
  promised(): number;
  /** Takes up what an earlier run left, and listens. */
  begin(): void;
  /** Takes nothing new and finishes what is on its way. */
  stop(): Promise<void>;
  refreshMetrics(): void;
}

/** Joins the chain's marketplace; resolves when its parameters and newest block are known. */
export async function openChainEngine(
  chain: ChainName,
  parts: ChainEngineParts,
  signal: AbortSignal,
): Promise<ChainEngine> {
  const { config, ledger, queue, collector, clock, tell, log, metrics, rules, strategy, version } = parts;
  const wallet = openSigner(parts.privateKey, {
    pins: pinsOf(chain, config, ledger),
    gasPriceCap: config.maxGasPrice,
    onPins: (pins) => storePins(chain, pins, ledger),
  });
  pinAccount(chain, wallet.address, ledger);
  const market = joinPolyswarmd({
    addr: config.polyswarmdAddr,
    chain,
    signer: counting(wallet, () => metrics.signaturesRefused.inc()),
    ...(config.apiKey === undefined ? {} : { apiKey: config.apiKey }),
    allowKeyOverHttp: config.allowKeyOverHttp,
    waitMs: config.wait * 1_000,
    log: log.child({ chain }),
    clock,
    random: Math.random,
    onMalformedEvent: () => metrics.eventsMalformed.inc(),
  });
  market.on("connected", () => tell("market.connected", { chain }));
  market.on("disconnected", ({ reason }) => tell("market.disconnected", { chain, reason }));
  market.on("parameters", ({ assertionFee, revealWindow, voteWindow }) =>
    tell("market.parameters", { chain, assertionFee: formatNct(assertionFee), revealWindow, voteWindow }),
  );
  // The stream is open before everything that answers is: what it says meanwhile is kept for `begin`.
  const early: BountyNotice[] = [];
  let begun = false;
  market.on("bounty", (notice) => {
    if (!begun) early.push(notice);
  });
  await market.start(signal);

  const blocks = createBlockClock(market.head(), clock.now());
  market.on("block", ({ number }) => blocks.observe(number, clock.now()));
  const purse = new Purse(() => market.balance(), clock);
  const duties = new Duties({ market, ledger, purse, clock, tell });
  const silence = new Map(config.benign);
  const desk = new Desk({
    ...{ market, ledger, queue, collector, duties, purse, clock, tell, rules, strategy, version },
    distill: (testimony) => distil(testimony, { silence }),
    seal: (guid, verdicts) => {
      const nonce = wallet.commitmentNonce({ chainName: chain, guid });
      return { nonce, commitment: commitment(wallet.address, verdicts, nonce) };
    },
    instantOf: (number) => blocks.instantOf(block(number)),
  });

  return {
    chain,
    connected: () => market.connected(),
    inFlight: () => desk.inFlight(),
    promised: () => duties.open(),
    begin() {
      const promised = duties.resume();
      const unpromised = desk.resume();
      begun = true;
      for (const notice of early.splice(0)) desk.hear(notice);
      if (promised + unpromised > 0) tell("producer.resumed", { chain, promised, unpromised });
      tell("producer.ready", {
        account: wallet.address,
        chain,
        head: market.head(),
        backends: rules.backends.map(({ name }) => name),
        strategy: strategy.name,
      });
    },
    async stop() {
      await desk.stop();
      await duties.stop();
    },
    refreshMetrics() {
      metrics.marketConnected.set({ chain }, market.connected() ? 1 : 0);
      metrics.headBlock.set({ chain }, market.head());
      metrics.dutiesOpen.set({ chain }, duties.open());
      metrics.dutiesFailing.set({ chain }, duties.failing());
      const balance = purse.lastBalance();
      if (balance !== undefined) metrics.balanceNct.set({ chain }, nctNumber(balance));
    },
    async [Symbol.asyncDispose]() {
      // After a stop that took too long somebody may still be at work: nothing more is begun.
      void duties.stop();
      await market[Symbol.asyncDispose]();
    },
  };
}

/** The same signer, telling each time it was handed something that was not asked for. */
const counting = (signer: Signer, refused: () => void): Signer => ({
  address: signer.address,
  async sign(...asked) {
    try {
      return await signer.sign(...asked);
    } catch (error) {
      if (error instanceof Fault && error.code === "TRANSACTION_REFUSED") refused();
      throw error;
    }
  },
});
