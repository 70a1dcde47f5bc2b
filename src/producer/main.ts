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
import { existsSync, readFileSync } from "node:fs";
import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProducerConfig } from "../config/commands/producer.ts";
import { systemClock } from "../domain/chain.ts";
import { ConfigFault, describeError } from "../domain/fault.ts";
import { parseGatewayAddress, refuseKeyOverHttp } from "../domain/gateway-address.ts";
import { STAKED_STATES } from "../domain/lifecycle.ts";
import { formatNct } from "../domain/nct.ts";
import { holdDataDir } from "../ledger/hold.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { openLedger } from "../ledger/sqlite/open-ledger.ts";
import type { HealthServer } from "../observe/health.ts";
import type { ProcessIo } from "../observe/process-io.ts";
import { refuseAmbiguousPins } from "./chain/pins.ts";
import { EarlyCounts } from "./events/early-counts.ts";
import { tellLog } from "./events/events.ts";
import { RelayEvents } from "./events/relay-events.ts";
import { marketCheck } from "./process/market-check.ts";
import { mayDo } from "./process/standing.ts";
import type { ChainPromises } from "./start/chain-promises.ts";
import { handOverFirst } from "./start/hand-over-first.ts";
import { ANSWERING, KEY, loadInTurns, OBSERVED, PREPARED, PROMISES } from "./start/in-turns.ts";
import type { Answering } from "./start/open-answering.ts";
import type { Prepared } from "./start/prepare.ts";

/** What was signed before is on its way by then; loading the rest blocks what is left to do for it. */
const FIRST_MS = 150;
/** Nothing heavy is loaded before the reveals that are due are on their way, or this is over. */
const DUE_MS = 1_500;
const TRY_AGAIN_MS = 5_000;
/** Longer than another producer's lease lives: a Redis that has not answered by then is away. */
const LEASE_PATIENCE_MS = 8_000;
/**
 * For closing, after what was on its way is finished or out of time: a gateway, a Redis and consumers that go at the same
 * moment may each keep it waiting. The process then ends as it stands; what was promised is in the ledger.
 */
const CLOSE_WITHIN_MS = 3_000;
/** What a start cannot go on with, whatever it owes. */
const FATAL = ["CONTRACTS_CHANGED", "PIN_CHANGED", "WALLET_CHANGED"];

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
    // Whoever asks a producer to stop while it still waits for Redis or the marketplace wants no complaint.
    if (!io.signal.aborted) throw error;
  }
  return 0;
}

/** `closing` is called, with what ended it, when nothing is left but to close what is open. */
async function work(config: ProducerConfig, io: ProcessIo, closing: (fault: unknown) => void): Promise<void> {
  const { log, signal } = io;
  // Before anything is waited for, and before embedded consumers complain of the same.
  refuseKeyOverHttp(parseGatewayAddress(config.polyswarmdAddr), config.apiKey, {
    allowed: config.allowKeyOverHttp,
  });
  refuseAmbiguousPins(config);
  const relay = new RelayEvents(tellLog(log));
  const { tell } = relay;
  const halt = new AbortController();
  const end = AbortSignal.any([signal, halt.signal]);
  const file = join(config.dataDir, "ledger.sqlite");
  let prepared: Prepared | undefined = existsSync(file) ? undefined : await prepareAll(config, io);

  using held = holdDataDir(config.dataDir);
  // Half of what a start costs is compiling. What others could write to is not trusted with code.
  if (!held.open) enableCompileCache(join(config.dataDir, "compile-cache"));
  using ledger = openLedger(file, systemClock);
  const owed = owedBy(ledger, config) > 0;
  if (owed) await Promise.race([handOverFirst({ config, ledger, tell, signal }), sleep(FIRST_MS)]);
  else prepared ??= await prepareAll(config, io);
  await loadInTurns(KEY);
  const unlocking = unlock(config, signal);
  // The key is derived beside the event loop. What is wrong with it is told when it is needed.
  unlocking.catch(() => undefined);
  await loadInTurns(PROMISES);
  const { openChainPromises } = await import("./start/chain-promises.ts");
  const { ProducerLease } = await import("./start/lease.ts");
  const { privateKey, address: account } = await unlocking;

  const chains: ChainPromises[] = [];
  const promised = (): number => chains.reduce((sum, chain) => sum + chain.open(), 0);
  await using lease = new ProducerLease({
    config,
    account,
    place: held.place,
    log,
    tell,
    promised,
    ended: (fault) => halt.abort(fault),
  });
  await using opened = new AsyncDisposableStack();
  const counts = new EarlyCounts();
  for (const chain of config.chains) {
    const parts = { config, privateKey, ledger, clock: systemClock, tell: relay.on(chain), log };
    const promises = openChainPromises(
      chain,
      {
        ...parts,
        may: (duty) => mayDo(lease.standing(), duty),
        onRefused: () => counts.use(({ signaturesRefused }) => signaturesRefused.inc()),
        counts: {
          onMalformedEvent: () => counts.use(({ eventsMalformed }) => eventsMalformed.inc()),
          onDroppedEvent: (event) => counts.use(({ eventsDropped }) => eventsDropped.inc({ event })),
          onClaimsRefused: () => counts.use(({ claimsRefused }) => claimsRefused.inc()),
        },
      },
      end,
    );
    chains.push(opened.use(promises));
  }
  if (owed) {
    const begun = Promise.all(chains.map((chain) => keepPromises(chain, tell)));
    begun.catch(() => undefined);
    await Promise.race([begun.then(() => sleep(FIRST_MS)), sleep(DUE_MS, undefined, { ref: false })]).catch(
      () => undefined,
    );
  }
  if (held.open)
    tell("data-dir.open", { folder: config.dataDir, hint: "Close it to all but its owner: chmod 700." });

  await loadInTurns(OBSERVED);
  const {
    checked,
    createRegistry,
    nctNumber,
    producerMetrics,
    countEvents,
    serveHealth,
    LoopWatch,
    EmbeddedMetrics,
  } = await import("./process/observed.ts");
  const registry = createRegistry("producer");
  const metrics = producerMetrics(registry);
  const consumers = new EmbeddedMetrics();
  using loop = new LoopWatch({ registry, log });
  relay.count(countEvents(metrics));
  counts.begin(metrics);
  metrics.profitNct.set(nctNumber(ledger.summary().profit));
  const atRisk = () => config.chains.reduce((sum, chain) => sum + ledger.atRisk(chain), 0n);

  await using answers = new AsyncDisposableStack();
  let answering: Answering | undefined;
  let server: HealthServer | undefined;
  let trouble: string | undefined;

  const serve = () =>
    serveHealth({
      host: config.httpHost,
      port: config.httpPort,
      log,
      metrics: registry,
      others: () => consumers.text(registry),
      live: () => ({ process: { ok: true }, loop: loop.health() }),
      ready: () => ({
        ...(answering === undefined
          ? { answering: { ok: false, detail: trouble ?? "starting" } }
          : { queue: checked(answering.queueTrouble()), consumers: consumersHealth(answering.unserved()) }),
        ...(lease.standing() === "apart" ? { lease: { ok: false, detail: APART } } : {}),
        ledger: { ok: chains.every((chain) => chain.ledgerWritable()) },
        ...Object.fromEntries(chains.map((chain) => [`market-${chain.chain}`, marketHealth(chain)])),
      }),
      refresh: async () => {
        for (const chain of chains) chain.refreshMetrics(metrics);
        metrics.atRiskNct.set(nctNumber(atRisk()));
        if (answering === undefined) metrics.queueUp.set(0);
        else await answering.refreshMetrics();
      },
    });
  async function serveOnce(): Promise<void> {
    if (server === undefined) server = opened.use(await serve());
  }
  async function tryToAnswer(): Promise<void> {
    // What keeps promises is seen from outside from then on; a start that owes nothing may still end with one line.
    if (owedBy(ledger, config) > 0) await serveOnce();
    const { readQueueSecret } = await import("../config/values/queue-secret.ts");
    const { createSeal } = await import("../redis/seal.ts");
    const seal = createSeal(config.embedded > 0 ? undefined : await readQueueSecret(config));
    await lease.take(seal, end);
    prepared ??= await prepareAll(config, io);
    await loadInTurns(ANSWERING);
    const { openAnswering } = await import("./start/open-answering.ts");
    answering = answers.use(
      await openAnswering({
        config,
        io,
        ledger,
        metrics,
        relay,
        prepared,
        seal,
        chains,
        end,
        consumers,
        leased: () => lease.standing() === "leased",
        version: readVersion(),
      }),
    );
    for (const engine of answering.engines) void engine.broken.then((fault) => halt.abort(fault));
    await serveOnce();
    trouble = undefined;
    answering.begin();
    flushCompileCache();
  }

  /** Until it answers: what is wrong is told, and tried again for as long as something is promised. */
  async function answerWhenPossible(): Promise<void> {
    for (;;) {
      try {
        return await tryToAnswer();
      } catch (error) {
        end.throwIfAborted();
        if (isFatal(error) || owedBy(ledger, config) === 0) throw error;
        const reason = describeError(error);
        if (reason !== trouble) tell("producer.not-answering", { reason, promised: promised() });
        trouble = reason;
        lease.giveUpWaiting();
      }
      await sleep(TRY_AGAIN_MS, undefined, { signal: end });
    }
  }

  setTimeout(() => lease.giveUpWaiting(), LEASE_PATIENCE_MS).unref();
  for (const chain of chains) chain.kept.catch((error: unknown) => halt.abort(error));
  answerWhenPossible().catch((error: unknown) => halt.abort(error));
  if (!end.aborted) await once(end, "abort");
  if (answering !== undefined || promised() > 0) {
    const unpromised = answering?.engines.reduce((sum, engine) => sum + engine.inFlight(), 0) ?? 0;
    tell("producer.stopping", { promised: promised(), unpromised, atRisk: formatNct(atRisk()) });
    const stopping = [...(answering?.engines ?? []), ...chains].map((it) => it.stop());
    const stopped = Promise.all(stopping);
    await Promise.race([stopped, sleep(config.stopTimeout * 1_000, undefined, { ref: false })]);
    tell("producer.stopped", { promised: promised(), atRisk: formatNct(atRisk()) });
  }
  closing(halt.signal.reason);
  halt.signal.throwIfAborted();
}

async function keepPromises(
  { chain, market, kept }: ChainPromises,
  tell: RelayEvents["tell"],
): Promise<void> {
  const { promised } = await kept;
  tell("producer.keeping-promises", { chain, promised, head: market.head() });
}

const owedBy = (ledger: Ledger, { chains }: ProducerConfig): number =>
  chains.reduce((sum, chain) => sum + ledger.inStates(chain, STAKED_STATES).length, 0);

async function prepareAll(config: ProducerConfig, { log }: ProcessIo): Promise<Prepared> {
  await loadInTurns(PREPARED);
  return (await import("./start/prepare.ts")).prepare(config, log);
}

async function unlock(config: ProducerConfig, signal: AbortSignal) {
  const { openKeystore } = await import("../wallet/keystore.ts");
  const { processTerminal, readPassword } = await import("../config/commands/password.ts");
  return openKeystore(config.keyfile, () => readPassword(config, processTerminal(), signal));
}

const isFatal = (error: unknown): boolean => error instanceof ConfigFault && FATAL.includes(error.code);

/** A deprecation that was not confirmed yet counts against it: the market has time to say otherwise. */
const marketHealth = ({ market, deprecation, overdue }: ChainPromises) =>
  marketCheck({
    connected: market.connected() && !deprecation.unconfirmed(),
    deprecated: deprecation.active(),
    overdue: overdue(),
  });
const APART =
  "the wallet's lease is not ours: nothing new is promised; what was promised is revealed and settled";

/** Nothing that was promised depends on consumers; a bounty that is posted now does. */
const consumersHealth = (missing: readonly string[]) =>
  missing.length === 0 ? { ok: true } : { ok: false, detail: `no consumer serves ${missing.join(", ")}` };

function readVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
