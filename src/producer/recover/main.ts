/**
 * Composition root of `recover`: rebuilds a lost ledger from the marketplace, then lets the producer's own duties reveal
 * and settle what is due. It takes the producer's place while it runs, so it holds what the producer would hold: the data
 * directory, and the wallet's lease where a Redis can be reached.
 *
 * Duties begin before the walk and take over each bounty as it is found: a reveal window does not wait for the end of the
 * list. Consumers are started, or Redis is asked for them, only when artifacts have to be scanned anew.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RecoverConfig } from "../../config/commands/recover.ts";
import { serveContracts } from "../../config/contract-imports.ts";
import type { Address } from "../../domain/address.ts";
import type { MarketId } from "../../domain/bounty.ts";
import { ConfigFault, describeError } from "../../domain/fault.ts";
import { systemClock } from "../../domain/instant.ts";
import { holdDataDir } from "../../ledger/hold.ts";
import { openLedger } from "../../ledger/sqlite/open-ledger.ts";
import { type TellRecover, tellRecoverLog } from "../../market/recovery-events.ts";
import type { ProcessIo } from "../../observe/process-io.ts";
import { parseRedisAddress } from "../../redis/address.ts";
import { takeWalletLease, type WalletLease } from "../../redis/wallet-lease.ts";
import { type Tell, tellLog } from "../events/events.ts";
import { openEach } from "../process/each-market.ts";
import { checkMarkets, MARKET_LEVELS, marketIds, openMarket } from "../process/markets.ts";
import { programVersion } from "../process/program-version.ts";
import { unlockKey } from "../process/unlock-key.ts";
import { MarketRecovery } from "./market-recovery.ts";
import { isAllRebuilt, recoveryJson, renderRecovery } from "./outcome.ts";
import { RecoveryCounts } from "./recovery-counts.ts";
import { openScanAgain } from "./scan-again.ts";

/** The lease is a courtesy here: a market with stakes on it does not wait for Redis. */
const LEASE_WAIT_MS = 3_000;

/** Resolves to the exit code: 1 when something could not be rebuilt. Throws ConfigFault for what the operator can correct. */
export async function runRecover(config: RecoverConfig, io: ProcessIo): Promise<number> {
  try {
    return await recover(config, io);
  } catch (error) {
    // When it is stopped before anything was looked at, it complains of nothing.
    if (!io.signal.aborted) throw error;
    return 1;
  }
}

async function recover(config: RecoverConfig, io: ProcessIo): Promise<number> {
  const { log, signal } = io;
  checkMarkets(config);
  serveContracts();
  const { address: account, privateKey } = await unlockKey(config, signal);
  const clock = systemClock;
  const counts = new RecoveryCounts();
  const logged = tellLog(log, MARKET_LEVELS);
  const tell: Tell = (event, facts) => {
    logged(event, facts);
    counts.hear(event, facts);
  };
  const tellRecover = tellRecoverLog(log);
  const halt = new AbortController();
  const end = AbortSignal.any([signal, halt.signal]);

  using held = holdDataDir(config.dataDir);
  using ledger = openLedger(join(config.dataDir, "ledger.sqlite"), clock);
  await using lease = await openLease(config, { account, place: held.place }, io, tellRecover);
  void lease?.lost.then((fault) => halt.abort(fault));
  await using scanAgain = openScanAgain(config, { ...io, tell: tellRecover, clock });
  await using opened = new AsyncDisposableStack();
  const opening = { config, privateKey, ledger, clock, tell, tellRecover, log, version: programVersion() };
  const markets: MarketRecovery[] = [];
  const open = async (id: MarketId): Promise<void> => {
    const market = await openMarket(id, { ...opening, patience: "as-configured", tries: config.tries });
    const parts = { config, market, ledger, clock, tell, tellRecover, counts, scanAgain };
    const recovery = opened.use(new MarketRecovery(parts, end));
    await recovery.open();
    markets.push(recovery);
  };
  await openEach(marketIds(config), open, end);
  await Promise.all(markets.map((market) => market.recover()));
  if (!config.ledgerOnly) await Promise.all(markets.map((market) => market.settle()));
  const stopped = Promise.all(markets.map((market) => market.stop()));
  await Promise.race([stopped, sleep(config.stopTimeout * 1_000, undefined, { ref: false })]);
  halt.signal.throwIfAborted();

  const owed = markets.reduce((sum, market) => sum + market.owed(), 0);
  const outcome = counts.outcome(account, owed);
  process.stdout.write(config.json ? `${recoveryJson(outcome)}\n` : `\n${renderRecovery(outcome)}`);
  return isAllRebuilt(outcome) ? 0 : 1;
}

/** Throws ConfigFault WALLET_HELD when a producer works with this wallet; without Redis that is not known. */
async function openLease(
  config: RecoverConfig,
  holder: { readonly account: Address; readonly place: string },
  { log, signal }: ProcessIo,
  tell: TellRecover,
): Promise<WalletLease | undefined> {
  if (config.embedded > 0) return undefined;
  const waitMs = Math.min(LEASE_WAIT_MS, config.wait * 1_000);
  const address = parseRedisAddress(config.redisAddr);
  try {
    return await takeWalletLease({ ...holder, address, waitMs, clock: systemClock, log, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ConfigFault && error.code === "WALLET_HELD") throw error;
    tell("recover.no-lease", { reason: describeError(error) });
    return undefined;
  }
}
