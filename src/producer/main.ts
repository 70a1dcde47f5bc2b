/**
 * Composition root of the producer, the only process that holds the wallet.
 *
 *     ledger ──► reveals signed before, sent ──► key ──► promises kept ──► lease, strategy, queue, markets ──► answering
 *                                                             ▲                    │ something is wrong
 *                                                             └──promises open─────┤
 *                                                                                  └──none──► the end, with what is wrong
 *
 * What is due comes first: nothing that a reveal does not need is loaded, waited for or even checked before it. With nothing
 * promised, what can be wrong in the configuration is found out before anything is touched.
 *
 * With promises open nothing but a wrong key, wallet or contract ends a producer. Whatever else is wrong keeps it from
 * answering: it says so, goes on keeping what was promised, and tries again.
 *
 * Closed in reverse, so the ledger outlives all who write in it, and the lease all who sign.
 * Stopping: no new bounties; those not yet promised are left for the next start; what is being posted, revealed or
 * settled is finished, within `--stop-timeout`; whatever is left then stands in the ledger. A producer that may not go on
 * stops in the same order, and then says why.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProducerConfig } from "../config/commands/producer.ts";
import { systemClock } from "../domain/instant.ts";
import { STAKED_STATES } from "../domain/lifecycle.ts";
import { formatNct, nct } from "../domain/nct.ts";
import { holdDataDir } from "../ledger/hold.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { openLedger } from "../ledger/sqlite/open-ledger.ts";
import { tellRecoverLog } from "../market/recovery-events.ts";
import type { StepTraits } from "../market/settlement.ts";
import type { HealthServer } from "../observe/health.ts";
import type { Logger } from "../observe/log.ts";
import type { ProcessIo } from "../observe/process-io.ts";
import { EarlyCounts } from "./events/early-counts.ts";
import { type Tell, tellLog } from "./events/events.ts";
import { RelayEvents } from "./events/relay-events.ts";
import {
  checkMarkets,
  MARKET_LEVELS,
  type MarketParts,
  marketIds,
  openMarket,
  sendAgainEarly,
} from "./process/markets.ts";
import { programVersion } from "./process/program-version.ts";
import { mayDo } from "./process/standing.ts";
import { AnsweringStart } from "./start/answering-start.ts";
import { KEY, loadInTurns, OBSERVED, PREPARED, PROMISES } from "./start/in-turns.ts";
import type { MarketPromises } from "./start/market-promises.ts";
import type { Prepared } from "./start/prepare.ts";

/** What was signed before is on its way by then; loading the rest blocks what is left to do for it. */
const FIRST_MS = 150;
/** Nothing heavy is loaded before the reveals that are due are on their way, or this is over. */
const DUE_MS = 1_500;
/** Longer than another producer's lease lives: a Redis that has not answered by then is away. */
const LEASE_PATIENCE_MS = 8_000;
/**
 * For closing, after what was on its way is finished or out of time: a gateway, a Redis and consumers that go at the same
 * moment may each keep it waiting. The process then ends as it stands; what was promised is in the ledger.
 */
const CLOSE_WITHIN_MS = 3_000;

/** Runs until the signal aborts; resolves to the exit code. Throws ConfigFault for what the operator can correct. */
export async function runProducer(config: ProducerConfig, io: ProcessIo): Promise<number> {
  const closing = Promise.withResolvers<unknown>();
  try {
    const working = work(config, io, closing.resolve);
    const fault = await Promise.race([working, closing.promise]);
    const { settledWithin } = await import("../async/within.ts");
    if (!(await settledWithin(CLOSE_WITHIN_MS, working))) {
      io.log.warn({ withinMs: CLOSE_WITHIN_MS }, "producer.not-closed");
      if (fault !== undefined) throw fault;
      return 0;
    }
    await working;
  } catch (error) {
    // A producer that is stopped while it still waits for Redis or the marketplace complains of neither.
    if (!io.signal.aborted) throw error;
  }
  return 0;
}

/** `closing` is called, with what ended it, when nothing is left but to close what is open. */
async function work(config: ProducerConfig, io: ProcessIo, closing: (fault: unknown) => void): Promise<void> {
  const { log, signal } = io;
  // Before anything is waited for, and before embedded consumers complain of the same.
  checkMarkets(config);
  const relay = new RelayEvents(tellLog(log, MARKET_LEVELS));
  const { tell } = relay;
  const halt = new AbortController();
  const end = AbortSignal.any([signal, halt.signal]);
  const halted = (fault: unknown): void => halt.abort(fault);
  const file = join(config.dataDir, "ledger.sqlite");
  const prepare = (): Promise<Prepared> => prepareAll(config, log);
  let prepared = existsSync(file) ? undefined : await prepare();

  using held = holdDataDir(config.dataDir);
  // Half of what a start costs is compiling. What others could write to is not trusted with code.
  if (!held.open) enableCompileCache(join(config.dataDir, "compile-cache"));
  using ledger = openLedger(file, systemClock);
  const staked = (): number => stakedBounties(ledger, config);
  const owesAtStart = staked() > 0;
  if (owesAtStart) await Promise.race([sendAgainEarly({ config, ledger, tell, signal }), sleep(FIRST_MS)]);
  else prepared ??= await prepare();
  const { key, MarketPromises, ProducerLease } = await openKey(config, signal);

  const markets: MarketPromises[] = [];
  const promised = (): number => markets.reduce((sum, market) => sum + market.open(), 0);
  const leaseParts = { config, account: key.address, place: held.place, log, tell, promised, ended: halted };
  await using lease = new ProducerLease(leaseParts);
  await using opened = new AsyncDisposableStack();
  const early = new EarlyCounts();
  const may = (kind: StepTraits["kind"]): boolean => mayDo(lease.standing(), kind);
  const clock = systemClock;
  const shared = {
    config,
    privateKey: key.privateKey,
    ledger,
    clock,
    tell,
    tellRecover: tellRecoverLog(log),
    log,
  };
  for (const id of marketIds(config)) {
    const opening = { ...shared, ...refusalCounts(early), version: programVersion() };
    const market = await openMarket(id, { ...opening, patience: "while-staked" });
    markets.push(opened.use(new MarketPromises({ market, ledger, clock, tell, may }, end)));
  }
  if (owesAtStart) await promisesKept(markets, tell);
  if (held.open)
    tell("data-dir.open", { folder: config.dataDir, hint: "Close it to all but its owner: chmod 700." });

  await loadInTurns(OBSERVED);
  const { ObservedProducer } = await import("./start/observed.ts");
  const atRisk = () => nct(markets.reduce((sum, { id }) => sum + ledger.atRisk(id), 0n));
  const standing = () => lease.standing();
  using observed = new ObservedProducer({ config, log, ledger, markets, standing, atRisk });
  observed.count(relay, early);

  let server: HealthServer | undefined;
  await using start = new AnsweringStart({
    config,
    io,
    ledger,
    metrics: observed.metrics,
    relay,
    markets,
    end,
    consumers: observed.consumers,
    version: programVersion(),
    lease,
    prepared,
    prepare,
    staked,
    promised,
    async serve() {
      if (server === undefined) server = opened.use(await observed.serve(start));
    },
    broken: halted,
  });
  setTimeout(() => lease.giveUpWaiting(), LEASE_PATIENCE_MS).unref();
  for (const market of markets) market.kept.catch(halted);
  start.run().catch(halted);
  if (!end.aborted) await once(end, "abort");
  await stopAll();
  closing(halt.signal.reason);
  halt.signal.throwIfAborted();

  async function stopAll(): Promise<void> {
    const answering = start.answering();
    if (answering === undefined && promised() === 0) return;
    const engines = answering?.engines ?? [];
    const unpromised = engines.reduce((sum, engine) => sum + engine.inFlight(), 0);
    tell("producer.stopping", { promised: promised(), unpromised, atRisk: formatNct(atRisk()) });
    const stopped = Promise.all([...engines, ...markets].map((it) => it.stop()));
    await Promise.race([stopped, sleep(config.stopTimeout * 1_000, undefined, { ref: false })]);
    tell("producer.stopped", { promised: promised(), atRisk: formatNct(atRisk()) });
  }
}

/** The key is derived beside the event loop, while what keeps the promises is loaded. */
async function openKey(config: ProducerConfig, signal: AbortSignal) {
  await loadInTurns(KEY);
  const { unlockKey } = await import("./process/unlock-key.ts");
  const unlocking = unlockKey(config, signal);
  // What is wrong with it is told when it is needed.
  unlocking.catch(() => undefined);
  await loadInTurns(PROMISES);
  const { MarketPromises } = await import("./start/market-promises.ts");
  const { ProducerLease } = await import("./start/lease.ts");
  return { key: await unlocking, MarketPromises, ProducerLease };
}

/** What a marketplace counts before there are metrics. */
const refusalCounts = (early: EarlyCounts): Pick<MarketParts, "onRefused" | "counts"> => ({
  onRefused: () => early.use(({ signaturesRefused }) => signaturesRefused.inc()),
  counts: {
    onMalformedEvent: () => early.use(({ eventsMalformed }) => eventsMalformed.inc()),
    onDroppedEvent: (event) => early.use(({ eventsDropped }) => eventsDropped.inc({ event })),
    onClaimsRefused: () => early.use(({ claimsRefused }) => claimsRefused.inc()),
  },
});

/** Resolves a moment after the promises on all marketplaces are being kept, or when that takes long. */
async function promisesKept(markets: readonly MarketPromises[], tell: Tell): Promise<void> {
  const kept = Promise.all(markets.map((market) => tellKept(market, tell)));
  kept.catch(() => undefined);
  const soon = kept.then(() => sleep(FIRST_MS));
  await Promise.race([soon, sleep(DUE_MS, undefined, { ref: false })]).catch(() => undefined);
}

async function tellKept({ id, market, kept }: MarketPromises, tell: Tell): Promise<void> {
  const { promised } = await kept;
  tell("producer.keeping-promises", { market: id, promised, moment: market.condition().moment ?? 0 });
}

const stakedBounties = (ledger: Ledger, config: ProducerConfig): number =>
  marketIds(config).reduce((sum, id) => sum + ledger.inStates(id, STAKED_STATES).length, 0);

async function prepareAll(config: ProducerConfig, log: Logger): Promise<Prepared> {
  await loadInTurns(PREPARED);
  return (await import("./start/prepare.ts")).prepareAnswering(config, log);
}
