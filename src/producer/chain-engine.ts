import type { BidStrategy } from "../bid/contract.ts";
import type { ProducerConfig } from "../config/producer.ts";
import { RECOVERY_DEFAULTS } from "../config/recover.ts";
import type { Testimony } from "../distill/contract.ts";
import { createBlockClock } from "../domain/block-clock.ts";
import { block, type ChainName, type Clock } from "../domain/chain.ts";
import { Fault } from "../domain/fault.ts";
import type { Guid } from "../domain/guid.ts";
import { formatNct, type Nct } from "../domain/nct.ts";
import type { Signer } from "../domain/transaction.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { commitment } from "../market/polyswarmd/commitment.ts";
import type { BountyNotice } from "../market/port.ts";
import type { Logger } from "../observe/log.ts";
import { nctNumber } from "../observe/metrics.ts";
import type { ProducerMetrics } from "../observe/producer-metrics.ts";
import type { ScanQueue } from "../queue/port.ts";
import type { TriageRules } from "../triage/triage.ts";
import type { ArtifactRate } from "./artifact-rate.ts";
import { Backfill } from "./backfill.ts";
import type { Collector } from "./collector.ts";
import { watchContracts } from "./contracts-watch.ts";
import { Deprecation } from "./deprecation.ts";
import { Desk } from "./desk.ts";
import { Duties } from "./duties.ts";
import type { Tell } from "./events.ts";
import { handOverSigned } from "./hand-over.ts";
import { joinChain } from "./join-chain.ts";
import type { Judge } from "./judge.ts";
import type { Limiter } from "./limiter.ts";
import { NonceHoles } from "./nonces/nonce-holes.ts";
import { Purse } from "./purse.ts";
import { tellRecoverLog } from "./recover/events.ts";
import { rescan, rescanUntil } from "./recover/rescan.ts";
import { openSalvage } from "./recover/salvage.ts";

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
  readonly limiter: Limiter;
  readonly artifactRate: Pick<ArtifactRate, "take">;
  readonly judge: Judge;
  /** Of microengine. */
  readonly version: string;
}

/** Everything that works on one chain: the market, the desk that answers, the duties that keep its promises. */
export interface ChainEngine extends AsyncDisposable {
  readonly chain: ChainName;
  /** Resolves when this engine must not go on, with what the operator has to know. */
  readonly broken: Promise<Fault>;
  connected(): boolean;
  /** The registry takes no new bounties: nothing is asserted, and what was promised is kept. */
  deprecated(): boolean;
  /** Bounties in work that are not promised yet. */
  inFlight(): number;
  /** Bounties we still owe something. */
  promised(): number;
  /** False while the disk takes no writes: nothing new is promised, what was promised is kept. */
  ledgerWritable(): boolean;
  /** Takes up what an earlier run left, and listens. */
  begin(): void;
  /** Takes nothing new and finishes what is on its way. */
  stop(): Promise<void>;
  /** What may still be promised, once the balance was read, and what an assertion costs now. */
  money(): { readonly available: Nct | undefined; readonly fee: Nct };
  refreshMetrics(): void;
}

/** Bounties heard of before a start is through; further ones are found in the marketplace's list. */
const MAX_EARLY = 1_000;

/** Joins the chain's marketplace; resolves when its parameters and newest block are known. */
export async function openChainEngine(
  chain: ChainName,
  parts: ChainEngineParts,
  signal: AbortSignal,
): Promise<ChainEngine> {
  const { config, ledger, queue, collector, clock, log, metrics, rules, strategy, limiter, version } = parts;
  const { judge } = parts;
  const tell = judge.heeding(chain, parts.tell);
  const { wallet, market, start } = joinChain(chain, {
    ...{ config, privateKey: parts.privateKey, ledger, clock, log },
    watched: (signer) => counting(signer, () => metrics.signaturesRefused.inc()),
    counts: {
      onMalformedEvent: () => metrics.eventsMalformed.inc(),
      onDroppedEvent: (event) => metrics.eventsDropped.inc({ event }),
      onClaimsRefused: () => metrics.claimsRefused.inc(),
    },
  });
  await using opening = new AsyncDisposableStack();
  opening.use(market);
  market.on("connected", () => tell("market.connected", { chain }));
  market.on("disconnected", ({ reason }) => tell("market.disconnected", { chain, reason }));
  market.on("parameters", ({ assertionFee, revealWindow, voteWindow }) =>
    tell("market.parameters", { chain, assertionFee: formatNct(assertionFee), revealWindow, voteWindow }),
  );
  // The stream is open before everything that answers is: what it says meanwhile is kept for `begin`.
  const early: BountyNotice[] = [];
  let begun = false;
  market.on("bounty", (notice) => {
    if (!begun && early.length < MAX_EARLY) early.push(notice);
  });
  const pins = await start(signal);
  const { chainId, registry } = pins;
  const broken = Promise.withResolvers<Fault>();
  watchContracts({ market, pins, clock, signal }, broken.resolve);

  await handOverSigned({ market, ledger, tell }, signal);

  const blocks = createBlockClock(market.head(), clock.now());
  market.on("block", ({ number }) => {
    blocks.observe(number, clock.now());
    // A stop-loss is told of when it trips or is released, not only when the next bounty comes.
    limiter.paused();
  });
  const purse = new Purse(() => market.balance(), clock);
  const deprecation = new Deprecation({ market, ledger, tell });
  const duties = new Duties({ market, ledger, purse, clock, tell, deprecation, feeCeiling: config.maxFee });
  const nonceHoles = new NonceHoles({ market, ledger, tell });
  const nonceFor = (guid: Guid) => wallet.commitmentNonce({ chainName: chain, chainId, registry, guid });
  const instantOf = (number: number) => blocks.instantOf(block(number));
  const backends = rules.backends.map(({ name }) => name);
  const salvage = await openSalvage(
    {
      recovery: {
        ...{ market, ledger, clock, nonceFor, instantOf, version, tries: RECOVERY_DEFAULTS.tries },
        tell: tellRecoverLog(log),
        async rescan(bounty, mask, before, until) {
          const { maxSizeBytes } = rules;
          const distill = (testimony: Testimony) => judge.distill(testimony);
          const scanning = { queue, collector, backends, distill, clock, maxSizeBytes };
          const deadline = rescanUntil(clock.now(), RECOVERY_DEFAULTS.rescanSeconds, before);
          // What is known without the scanners is tried all the same.
          return rescan(scanning, bounty, mask, deadline, until).catch(() => undefined);
        },
      },
      duties,
    },
    signal,
  );
  const desk = new Desk({
    ...{ market, ledger, queue, collector, duties, deprecation, purse, limiter, clock, tell },
    ...{ rules, strategy, version, modifiers: config.confidence, artifactRate: parts.artifactRate },
    distill: (testimony) => judge.distill(testimony),
    seal: (guid, verdicts) => {
      const nonce = nonceFor(guid);
      return { nonce, commitment: commitment(wallet.address, verdicts, nonce) };
    },
    instantOf,
    gate: salvage,
  });
  const backfill = new Backfill({ market, ledger, desk, deprecation, limiter, tell });
  opening.move();

  let salvaging: Promise<void> | undefined;
  const release = (promised: number): void => {
    const unpromised = desk.resume();
    begun = true;
    for (const notice of early.splice(0)) desk.hear(notice);
    if (promised + unpromised > 0) tell("producer.resumed", { chain, promised, unpromised });
    tell("producer.ready", {
      ...{ account: wallet.address, chain, head: market.head(), backends },
      ...{ strategy: strategy.name, deprecated: deprecation.active() },
    });
  };

  return {
    chain,
    broken: broken.promise,
    connected: () => market.connected(),
    deprecated: () => deprecation.active(),
    inFlight: () => desk.inFlight(),
    promised: () => duties.open(),
    ledgerWritable: () => duties.ledgerWritable(),
    begin() {
      const promised = duties.resume();
      if (salvage === undefined) {
        release(promised);
        backfill.begin();
        return;
      }
      salvaging = salvage.run(
        {
          ...{ has: (guid) => desk.has(guid), hear: (notice) => desk.hear(notice) },
          ...{ release: () => release(promised), open: () => backfill.begin() },
        },
        signal,
      );
    },
    async stop() {
      await salvaging;
      await backfill.stop();
      await desk.stop();
      await duties.stop();
      await nonceHoles.stop();
    },
    money: () => ({
      available: purse.lastBalance() === undefined ? undefined : purse.available(),
      fee: market.parameters().assertionFee,
    }),
    refreshMetrics() {
      metrics.marketConnected.set({ chain }, market.connected() ? 1 : 0);
      metrics.headBlock.set({ chain }, market.head());
      metrics.marketDeprecated.set({ chain }, deprecation.active() ? 1 : 0);
      metrics.dutiesOpen.set({ chain }, duties.open());
      metrics.dutiesFailing.set({ chain }, duties.failing());
      const balance = purse.lastBalance();
      if (balance !== undefined) metrics.balanceNct.set({ chain }, nctNumber(balance));
    },
    async [Symbol.asyncDispose]() {
      // After a stop that took too long somebody may still be at work: nothing more is begun.
      void backfill.stop();
      void duties.stop();
      void nonceHoles.stop();
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
